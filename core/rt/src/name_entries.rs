//! Names and their handles, read without a lock while another thread writes.

use std::sync::OnceLock;

use crate::handle::Handle;
use crate::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, fence};

/// Entries of the first block; each next one has twice as many.
const FIRST: u32 = if cfg!(feature = "loom") { 1 } else { 8 };
/// Blocks for more names than there are handles.
const BLOCKS: usize = 24;
/// An entry's number is its place in its block, and above these bits the block.
const PLACE_BITS: u32 = 27;

/// Entries for texts of less than so many words. They come in blocks that stay where they are.
pub(crate) struct NameEntries<const WORDS: usize> {
    blocks: [OnceLock<Box<[NameEntry<WORDS>]>>; BLOCKS],
}

/// Which entries are free; only those who write need to know.
#[derive(Default)]
pub(crate) struct Room {
    /// Entries to use again, the one freed last first: it is still in the cache.
    freed: Vec<u32>,
    /// Entries used so far.
    used: u32,
}

/// A place for a name. A handle has one name and is never given twice, so one that is the same before and after the
/// text was read is the handle of that text.
#[repr(align(32))]
pub(crate) struct NameEntry<const WORDS: usize> {
    /// 0 while the place is free.
    handle: AtomicU64,
    /// The bytes, and then at least one that is 0.
    text: [AtomicU64; WORDS],
}

impl<const WORDS: usize> NameEntries<WORDS> {
    /// The longest text that has room.
    pub(crate) const BYTES_MAX: usize = WORDS * 8 - 1;

    pub(crate) const fn new() -> Self {
        Self { blocks: [const { OnceLock::new() }; BLOCKS] }
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&NameEntry<WORDS>> {
        let place = number & ((1 << PLACE_BITS) - 1);
        self.blocks.get((number >> PLACE_BITS) as usize)?.get()?.get(place as usize)
    }

    /// Writes a name into a free entry; one thread writes at a time.
    pub(crate) fn fill(&self, room: &mut Room, text: &str, handle: Handle) -> u32 {
        let number = room.take();
        let block = number >> PLACE_BITS;
        let entries = || (0..FIRST << block).map(|_| NameEntry::free()).collect();
        self.blocks[block as usize].get_or_init(entries);
        self.get(number).expect("its block was made").fill(text, handle);
        number
    }

    /// Frees an entry; one thread writes at a time.
    pub(crate) fn clear(&self, room: &mut Room, number: u32) {
        self.get(number).expect("its block was made").clear();
        room.freed.push(number);
    }

    /// All names with their handles; only while nobody writes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (String, Handle)> {
        self.blocks.iter().map_while(OnceLock::get).flatten().filter_map(NameEntry::read)
    }
}

impl Room {
    fn take(&mut self) -> u32 {
        self.freed.pop().unwrap_or_else(|| {
            let place = self.used + FIRST;
            self.used += 1;
            let block = (place / FIRST).ilog2();
            block << PLACE_BITS | (place - (FIRST << block))
        })
    }
}

impl<const WORDS: usize> NameEntry<WORDS> {
    fn free() -> Self {
        Self { handle: AtomicU64::new(0), text: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    fn fill(&self, text: &str, handle: Handle) {
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        let words = words.iter().map(|word| u64::from_le_bytes(*word));
        let words = words.chain([last_word(text.as_bytes(), rest)]).chain(std::iter::repeat(0));
        for (place, word) in self.text.iter().zip(words) {
            place.store(word, Relaxed);
        }
        self.handle.store(handle.to_u64(), Release);
    }

    fn clear(&self) {
        self.handle.store(0, Relaxed);
        // Whoever reads of a text that is written later sees that the handle is gone.
        fence(Release);
    }

    /// The handle, if this is the name. Where a name goes or comes meanwhile, nothing is found.
    #[inline]
    pub(crate) fn handle_of(&self, text: &str) -> Option<Handle> {
        let handle = self.handle.load(Acquire);
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        let (places, last) = (self.text.get(..words.len())?, self.text.get(words.len())?);
        // One branch at the end: where an index leads, the text is nearly always the same.
        let mut differing = last.load(Relaxed) ^ last_word(text.as_bytes(), rest);
        for (place, word) in places.iter().zip(words) {
            differing |= place.load(Relaxed) ^ u64::from_le_bytes(*word);
        }
        fence(Acquire);
        if differing != 0 || self.handle.load(Relaxed) != handle {
            return None;
        }
        Handle::from_u64(handle)
    }

    fn read(&self) -> Option<(String, Handle)> {
        let handle = Handle::from_u64(self.handle.load(Relaxed))?;
        let bytes = self.text.iter().flat_map(|place| place.load(Relaxed).to_le_bytes());
        let text = String::from_utf8(bytes.take_while(|byte| *byte != 0).collect());
        Some((text.ok()?, handle))
    }
}

/// What is left of a text after its whole words, as a word.
#[inline]
fn last_word(text: &[u8], rest: &[u8]) -> u64 {
    match text.last_chunk::<8>() {
        _ if rest.is_empty() => 0,
        // The last eight bytes, without those that are in the word before.
        Some(last) => u64::from_le_bytes(*last) >> (64 - rest.len() * 8),
        None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    fn handle(slot: u32) -> Handle {
        Handle::new(slot, 1).expect("odd")
    }

    #[test]
    fn a_text_of_any_length_is_told_from_each_other() {
        let entry = NameEntry::<7>::free();
        let long: String = ('a'..='z').cycle().take(60).collect();
        for bytes in 1..=NameEntries::<7>::BYTES_MAX {
            let text = &long[..bytes];
            entry.fill(text, handle(1));
            assert_eq!(entry.read(), Some((text.to_owned(), handle(1))));
            for other in 0..=long.len() {
                assert_eq!(entry.handle_of(&long[..other]).is_some(), other == bytes, "{other} of {bytes}");
            }
            for changed in 0..bytes {
                let mut other = text.to_owned();
                other.replace_range(changed..=changed, "-");
                assert_eq!(entry.handle_of(&other), None);
            }
        }
        entry.clear();
        assert_eq!((entry.handle_of(&long[..55]), entry.read()), (None, None));
    }

    #[test]
    fn an_entry_that_was_freed_is_used_again() {
        let (entries, mut room) = (NameEntries::<3>::new(), Room::default());
        let numbers: Vec<u32> =
            (0..1_000).map(|slot| entries.fill(&mut room, &format!("a{slot}"), handle(slot))).collect();
        for (slot, number) in numbers.iter().enumerate() {
            let entry = entries.get(*number).expect("filled");
            assert_eq!(entry.handle_of(&format!("a{slot}")), Some(handle(slot as u32)));
        }
        entries.clear(&mut room, numbers[7]);
        assert_eq!(entries.iter().count(), 999);
        assert_eq!(entries.fill(&mut room, "b", handle(7)), numbers[7]);
        assert_eq!((entries.iter().count(), room.used), (1_000, 1_000));
    }
}
