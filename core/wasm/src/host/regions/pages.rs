//! The bytes of one region: zeros take no memory until something is written there.

use crate::types::error::{Code, Error, Result};

const PAGE_BYTES: usize = 64 << 10;

/// A number of bytes that never changes; plain data without a lock.
pub(super) struct Pages {
    bytes: u64,
    /// An empty one reads as zeros.
    pages: Vec<Vec<u8>>,
}

impl Pages {
    pub(super) fn zeroed(bytes: u64) -> Result<Self> {
        let count = usize::try_from(bytes.div_ceil(PAGE_BYTES as u64)).map_err(|_| no_memory(bytes))?;
        let mut pages = Vec::new();
        pages.try_reserve_exact(count).map_err(|_| no_memory(bytes))?;
        pages.resize(count, Vec::new());
        Ok(Self { bytes, pages })
    }

    /// Fills `into` with what stands at `offset`.
    pub(super) fn read(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        let mut at = inside(self.bytes, offset, into.len() as u64)?;
        let mut rest = into;
        while !rest.is_empty() {
            let (page, place, len) = step(at, rest.len());
            let (now, later) = rest.split_at_mut(len);
            match &self.pages[page][..] {
                [] => now.fill(0),
                page => now.copy_from_slice(&page[place..place + len]),
            }
            (at, rest) = (at + len, later);
        }
        Ok(())
    }

    /// Copies `from` to `offset`: all of it, or nothing where a part is outside or the memory is not there.
    pub(super) fn write(&mut self, offset: u64, from: &[u8]) -> Result<()> {
        let start = inside(self.bytes, offset, from.len() as u64)?;
        self.provide(start, from.len())?;
        let (mut at, mut rest) = (start, from);
        while !rest.is_empty() {
            let (page, place, len) = step(at, rest.len());
            let (now, later) = rest.split_at(len);
            self.pages[page][place..place + len].copy_from_slice(now);
            (at, rest) = (at + len, later);
        }
        Ok(())
    }

    /// Gives memory to all pages from `at` on that `len` bytes touch.
    fn provide(&mut self, at: usize, len: usize) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        for index in at / PAGE_BYTES..(at + len).div_ceil(PAGE_BYTES) {
            let page = &mut self.pages[index];
            if page.is_empty() {
                // The last one is no longer than the region.
                let left = self.bytes - (index * PAGE_BYTES) as u64;
                let bytes = left.min(PAGE_BYTES as u64) as usize;
                page.try_reserve_exact(bytes).map_err(|_| no_memory(bytes as u64))?;
                page.resize(bytes, 0);
            }
        }
        Ok(())
    }
}

/// The offset, if `len` bytes from there are inside a region of so many bytes.
pub(super) fn inside(bytes: u64, offset: u64, len: u64) -> Result<usize> {
    let end = offset.checked_add(len).filter(|end| *end <= bytes);
    end.and_then(|_| usize::try_from(offset).ok()).ok_or_else(|| {
        Error::argument("offset", format!("{len} bytes at {offset} are not inside a region of {bytes} bytes"))
    })
}

/// Of `len` bytes at `at` the page, the place in it, and how many are in it.
fn step(at: usize, len: usize) -> (usize, usize, usize) {
    let place = at % PAGE_BYTES;
    (at / PAGE_BYTES, place, len.min(PAGE_BYTES - place))
}

fn no_memory(bytes: u64) -> Error {
    let text = format!("no memory for {bytes} bytes of a region");
    Error::new(Code::LimitExceeded, text).with("which", "host_memory").with("allowed", 0).with("used", bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next of a sequence that a seed fixes.
    fn next(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *seed >> 33
    }

    #[test]
    fn hostile_g13_random_reads_and_writes_do_what_they_do_to_a_plain_vector() {
        for round in 1..=40 {
            let mut seed = round;
            let size = 1 + next(&mut seed) % (3 * PAGE_BYTES as u64 + 7);
            let (mut pages, mut plain) = (Pages::zeroed(size).expect("room"), vec![0; size as usize]);
            for _ in 0..200 {
                let (offset, len) = (next(&mut seed) % (size + 9), next(&mut seed) % (size / 2 + 9));
                let inside = offset + len <= size;
                let part = offset as usize..(offset + len) as usize;
                if next(&mut seed).is_multiple_of(2) {
                    let from: Vec<u8> = (0..len).map(|_| next(&mut seed) as u8).collect();
                    assert_eq!(pages.write(offset, &from).is_ok(), inside, "seed {round}");
                    if inside {
                        plain[part].copy_from_slice(&from);
                    }
                } else {
                    let mut into = vec![0xEE; len as usize];
                    assert_eq!(pages.read(offset, &mut into).is_ok(), inside, "seed {round}");
                    let expected = if inside { plain[part].to_vec() } else { vec![0xEE; len as usize] };
                    assert!(into == expected, "seed {round}: {len} at {offset}");
                }
            }
            let mut all = vec![1; size as usize];
            pages.read(0, &mut all).expect("inside");
            assert!(all == plain, "seed {round}");
        }
    }

    #[test]
    fn hostile_g13_no_offset_wraps_around() {
        let mut pages = Pages::zeroed(10).expect("room");
        for (offset, len) in [(11, 0), (10, 1), (3, 8), (u64::MAX, 1), (u64::MAX, 0), (u64::MAX - 7, 8)] {
            assert_eq!(pages.read(offset, &mut vec![0; len]).expect_err("outside").text("which"), "offset");
            assert_eq!(pages.write(offset, &vec![1; len]).expect_err("outside").code, Code::InvalidArgument);
        }
        pages.write(10, &[]).expect("nothing at the end is inside");
        assert_eq!(Pages::zeroed(u64::MAX).err().map(|error| error.code), Some(Code::LimitExceeded));
    }

    #[test]
    fn hostile_g13_the_last_page_is_no_longer_than_the_region() {
        for left in [1, 10, PAGE_BYTES - 1, PAGE_BYTES] {
            let bytes = PAGE_BYTES + left;
            let (end, last) = (bytes as u64, PAGE_BYTES as u64);
            let mut pages = Pages::zeroed(end).expect("room");
            pages.write(end, &[]).expect("nothing at the end is inside");
            assert!(pages.pages.iter().all(Vec::is_empty), "nothing is no reason for memory");
            pages.write(end - 1, b"z").expect("inside");
            assert!(pages.pages[0].is_empty());
            assert_eq!((pages.pages[1].len(), pages.pages[1].capacity()), (left, left));
            let all = vec![b'x'; left];
            pages.write(last, &all).expect("inside");
            for (offset, len) in
                [(last, left + 1), (end, 1), (end - 1, 2), (last - 1, left + 2), (end + 1, 0)]
            {
                let mut into = vec![b'?'; len];
                assert!(pages.write(offset, &into).is_err() && pages.read(offset, &mut into).is_err());
                assert_eq!(into, vec![b'?'; len], "nothing of it was seen");
            }
            let mut whole = vec![b'?'; bytes];
            pages.read(0, &mut whole).expect("inside");
            assert_eq!(whole, [vec![0; PAGE_BYTES], all].concat(), "nothing of it was written");
        }
    }
}
