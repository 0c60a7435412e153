//! Where the entry of a hash is: groups of hints in cache lines, read without a lock while another thread writes.

use crate::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

const HINTS: usize = 7;
/// Hints a group may hold on average, so that few have to stand in another than their own.
const HINTS_USUAL: usize = if cfg!(feature = "loom") { 1 } else { 4 };
/// Where in the word of tags stands how many hints found no room; this many are never counted down again.
const DISPLACED_SHIFT: u32 = 56;
const DISPLACED_MAX: u64 = 0xff;
const LOWEST_BITS: u64 = 0x0001_0101_0101_0101;
const HIGHEST_BITS: u64 = 0x0080_8080_8080_8080;

/// A power of two of groups. A hint stays where it is until it is taken out, so who reads never misses one that moves.
pub(crate) struct NameIndex(Box<[Group]>);

/// Hints, and a tag for each: a few bits of its hash, with the highest set, or 0 where there is none.
#[repr(align(64))]
struct Group {
    /// Above the tags: how many hints should be here and are in a group behind, which is where one goes on then.
    tags: AtomicU64,
    hints: [AtomicU64; HINTS],
}

/// Half of a hash, and the number of the entry where that may be.
#[derive(Clone, Copy)]
struct Hint(u64);

/// A hint's place: its group and which there.
pub(crate) type Place = (usize, usize);

impl Hint {
    fn new(hash: u64, entry: u32) -> Self {
        Self(hash << 32 | u64::from(entry))
    }

    #[inline]
    fn is_of(self, hash: u64) -> bool {
        (self.0 >> 32) as u32 == hash as u32
    }
}

impl Group {
    fn new() -> Self {
        Self { tags: AtomicU64::new(0), hints: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Fills the first free place; `None` if there is none.
    fn fill(&self, tag: u64, hint: Hint) -> Option<usize> {
        let tags = self.tags.load(Relaxed);
        let number = (!tags & HIGHEST_BITS).trailing_zeros() as usize / 8;
        self.hints.get(number)?.store(hint.0, Relaxed);
        self.tags.store(tags | tag << (number * 8), Release);
        Some(number)
    }

    /// Counts one more or one less that is in a group behind.
    fn displace(&self, count: impl FnOnce(u64) -> u64) {
        let tags = self.tags.load(Relaxed);
        let displaced = tags >> DISPLACED_SHIFT;
        if displaced < DISPLACED_MAX {
            let tags = tags & !(DISPLACED_MAX << DISPLACED_SHIFT);
            self.tags.store(tags | count(displaced) << DISPLACED_SHIFT, Release);
        }
    }
}

impl NameIndex {
    /// An empty one with one group.
    pub(crate) fn new() -> Self {
        Self(Box::new([Group::new()]))
    }

    /// A copy with twice the groups.
    pub(crate) fn doubled(&self) -> Self {
        let doubled = Self((0..self.0.len() * 2).map(|_| Group::new()).collect());
        for group in &self.0 {
            let tags = group.tags.load(Relaxed);
            for (number, hint) in group.hints.iter().enumerate() {
                let (tag, hint) = (tags >> (number * 8) & 0xff, Hint(hint.load(Relaxed)));
                if tag != 0 {
                    doubled.put(tag, hint);
                }
            }
        }
        doubled
    }

    /// Whether it is big enough for so many hints.
    pub(crate) fn has_room_for(&self, hints: usize) -> bool {
        hints <= self.0.len() * HINTS_USUAL
    }

    /// What one of the entries that the hash may be in is found to be, and the place of its hint.
    #[inline]
    pub(crate) fn find<T>(&self, hash: u64, is_it: impl Fn(u32) -> Option<T>) -> Option<(Place, T)> {
        let mask = self.0.len() - 1;
        let mut number = hash as usize & mask;
        // Bounded, for what is displaced may be everywhere by now.
        for _ in 0..self.0.len() {
            let group = &self.0[number];
            let tags = group.tags.load(Acquire);
            let mut alike = alike(tags, tag(hash));
            while alike != 0 {
                let place = alike.trailing_zeros() as usize / 8;
                let hint = Hint(group.hints.get(place)?.load(Relaxed));
                if hint.is_of(hash)
                    && let Some(found) = is_it(hint.0 as u32)
                {
                    return Some(((number, place), found));
                }
                alike &= alike - 1;
            }
            if tags >> DISPLACED_SHIFT == 0 {
                return None;
            }
            number = (number + 1) & mask;
        }
        None
    }

    /// Puts in where this hash is; there is room, and one thread writes at a time.
    pub(crate) fn insert(&self, hash: u64, entry: u32) {
        self.put(tag(hash), Hint::new(hash, entry));
    }

    fn put(&self, tag: u64, hint: Hint) {
        let mask = self.0.len() - 1;
        let mut number = (hint.0 >> 32) as usize & mask;
        while self.0[number].fill(tag, hint).is_none() {
            self.0[number].displace(|displaced| displaced + 1);
            number = (number + 1) & mask;
        }
    }

    /// Takes a hint out, and says which entry it was; one thread writes at a time.
    pub(crate) fn remove(&self, hash: u64, (behind, place): Place) -> u32 {
        let group = &self.0[behind];
        group.tags.store(group.tags.load(Relaxed) & !(0xff << (place * 8)), Release);
        let mask = self.0.len() - 1;
        let mut number = hash as usize & mask;
        while number != behind {
            self.0[number].displace(|displaced| displaced - 1);
            number = (number + 1) & mask;
        }
        group.hints[place].load(Relaxed) as u32
    }
}

/// The bits of a hash that its group keeps beside it, and that do not say which group.
#[inline]
fn tag(hash: u64) -> u64 {
    hash >> 57 | 0x80
}

/// The highest bit of each tag that is this one, and seldom of one that is not.
#[inline]
fn alike(tags: u64, tag: u64) -> u64 {
    let differing = tags ^ (LOWEST_BITS * tag);
    differing.wrapping_sub(LOWEST_BITS) & !differing & HIGHEST_BITS
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    /// The entry of this hash, where each entry is its own and no other's.
    fn find(index: &NameIndex, hash: u64, entry: u32) -> Option<Place> {
        index.find(hash, |number| (number == entry).then_some(())).map(|(place, ())| place)
    }

    #[test]
    fn hashes_that_are_all_the_same_are_found_in_the_groups_behind() {
        let (mut index, hash) = (NameIndex::new(), 0xffff_ffff_ffff_ffff);
        for entry in 0..300 {
            while !index.has_room_for(entry as usize + 1) {
                index = index.doubled();
            }
            index.insert(hash, entry);
        }
        for entry in 0..300 {
            let place = find(&index, hash, entry).expect("it was put in");
            assert_eq!(index.remove(hash, place), entry);
            assert_eq!(find(&index, hash, entry), None);
            assert!((entry + 1..300).all(|left| find(&index, hash, left).is_some()), "after {entry}");
        }
    }

    #[test]
    fn who_was_displaced_leaves_nothing_behind() {
        let index = NameIndex::new().doubled();
        (0..10).for_each(|entry| index.insert(0, entry));
        let place = find(&index, 0, 9).expect("it was put in");
        assert_eq!((place.0, index.0[0].tags.load(Relaxed) >> DISPLACED_SHIFT), (1, 3));
        for entry in (0..10).rev() {
            let place = find(&index, 0, entry).expect("it was put in");
            index.remove(0, place);
        }
        assert!(index.0.iter().all(|group| group.tags.load(Relaxed) == 0));
    }

    #[test]
    fn a_tag_is_found_wherever_it_stands() {
        for tag in 0x80..=0xff_u64 {
            for place in 0..HINTS {
                let others = LOWEST_BITS * if tag == 0xff { 0x80 } else { 0xff };
                let tags = others & !(0xff << (place * 8)) | tag << (place * 8) | 7 << DISPLACED_SHIFT;
                assert_eq!(alike(tags, tag) >> (place * 8) & 0xff, 0x80, "{tag:x} at {place}");
                assert_eq!(alike(0, tag), 0);
            }
        }
    }
}
