//! The names of the live: which handle an id means now.

use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

use foldhash::fast::RandomState;

use crate::handle::Handle;
use crate::id::ActorId;
use crate::id_pattern::IdPattern;
use crate::name_entries::{NameEntries, Room};
use crate::name_index::{NameIndex, Place};
use crate::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use crate::sync::{Mutex, lock};

/// Indices for more names than there are handles.
const INDICES: usize = 24;

/// Entries of half a cache line, of one, and for the longest id there is.
type Short = NameEntries<3>;
type Usual = NameEntries<7>;
type Long = NameEntries<24>;

/// One handle for each name in use, found without a lock. It holds no more names than there are live handles, which are
/// bounded elsewhere.
// What an index says is only a hint, for an entry knows whether it is the one. So also who still reads in an index that
// was replaced finds the right one: there is every name that was in use all the time.
pub(crate) struct Names {
    hasher: RandomState,
    /// The number of the index in use.
    index: AtomicUsize,
    /// Each has twice the room of the one before, which stays, for somebody may still read it.
    indices: [OnceLock<NameIndex>; INDICES],
    short: Short,
    usual: Usual,
    long: Long,
    writer: Apart,
}

/// In cache lines of its own, for those who only read need nothing of it.
#[derive(Default)]
#[repr(align(128))]
struct Apart(Mutex<Writer>);

#[derive(Default)]
struct Writer {
    names: usize,
    short: Room,
    usual: Room,
    long: Room,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            hasher: RandomState::default(),
            index: AtomicUsize::new(0),
            indices: [const { OnceLock::new() }; INDICES],
            short: Short::new(),
            usual: Usual::new(),
            long: Long::new(),
            writer: Apart::default(),
        }
    }
}

impl Names {
    /// Gives the name to this handle; `false` if it is taken. A handle has one name at most.
    pub(crate) fn register(&self, id: &ActorId, handle: Handle) -> bool {
        let (text, hash) = (id.as_str(), self.hash(id.as_str()));
        let mut writer = lock(&self.writer.0);
        if self.look(hash, text).is_some() {
            return false;
        }
        let number = match text.len() {
            bytes if bytes <= Short::BYTES_MAX => self.short.fill(&mut writer.short, text, handle),
            bytes if bytes <= Usual::BYTES_MAX => self.usual.fill(&mut writer.usual, text, handle),
            _ => self.long.fill(&mut writer.long, text, handle),
        };
        writer.names += 1;
        self.index_for(writer.names).insert(hash, number);
        true
    }

    /// The index in use, which has room for so many names; only one thread writes at a time.
    fn index_for(&self, names: usize) -> &NameIndex {
        let number = self.index.load(Relaxed);
        let index = self.indices[number].get_or_init(NameIndex::new);
        if index.has_room_for(names) {
            return index;
        }
        let doubled = self.indices[number + 1].get_or_init(|| index.doubled());
        self.index.store(number + 1, Release);
        doubled
    }

    /// Frees the name if it is still this handle's.
    pub(crate) fn unregister(&self, id: &ActorId, handle: Handle) {
        let (text, hash) = (id.as_str(), self.hash(id.as_str()));
        let mut writer = lock(&self.writer.0);
        let Some((place, holder)) = self.look(hash, text) else { return };
        if holder != handle {
            return;
        }
        let number = self.index_for(writer.names).remove(hash, place);
        match text.len() {
            bytes if bytes <= Short::BYTES_MAX => self.short.clear(&mut writer.short, number),
            bytes if bytes <= Usual::BYTES_MAX => self.usual.clear(&mut writer.usual, number),
            _ => self.long.clear(&mut writer.long, number),
        }
        writer.names -= 1;
    }

    /// The handle of this name.
    #[inline]
    pub(crate) fn find(&self, id: &ActorId) -> Option<Handle> {
        self.find_text(id.as_str())
    }

    /// The handle of the name with this text, all three parts of it.
    #[inline]
    pub(crate) fn find_text(&self, id: &str) -> Option<Handle> {
        let (_, handle) = self.look(self.hash(id), id)?;
        Some(handle)
    }

    #[inline]
    fn hash(&self, text: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    /// A name's place in the index, and its handle.
    #[inline]
    fn look(&self, hash: u64, text: &str) -> Option<(Place, Handle)> {
        let index = self.indices.get(self.index.load(Acquire))?.get()?;
        match text.len() {
            bytes if bytes <= Short::BYTES_MAX => {
                index.find(hash, |number| self.short.get(number)?.handle_of(text))
            }
            bytes if bytes <= Usual::BYTES_MAX => {
                index.find(hash, |number| self.usual.get(number)?.handle_of(text))
            }
            _ => self.look_long(hash, text, index),
        }
    }

    #[cold]
    fn look_long(&self, hash: u64, text: &str, index: &NameIndex) -> Option<(Place, Handle)> {
        index.find(hash, |number| self.long.get(number)?.handle_of(text))
    }

    /// Those whose names match, in the order of the names.
    pub(crate) fn matching(&self, pattern: &IdPattern) -> Vec<(ActorId, Handle)> {
        let named = |(text, handle): (String, Handle)| Some((text.parse().ok()?, handle));
        if pattern.is_exact() {
            let found = self.find_text(pattern.as_str());
            return found.and_then(|handle| named((pattern.to_string(), handle))).into_iter().collect();
        }
        let nobody_writes = lock(&self.writer.0);
        let all = self.short.iter().chain(self.usual.iter()).chain(self.long.iter());
        let matching: Vec<_> = all.filter(|(text, _)| pattern.matches_text(text)).collect();
        drop(nobody_writes);
        let mut matching: Vec<(ActorId, Handle)> = matching.into_iter().filter_map(named).collect();
        matching.sort_unstable();
        matching
    }

    /// How many names are in use.
    #[cfg(all(test, not(feature = "loom")))]
    pub(crate) fn len(&self) -> usize {
        lock(&self.writer.0).names
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    fn id(text: &str) -> ActorId {
        text.parse().expect("an id")
    }

    fn handle(slot: u32) -> Handle {
        Handle::new(slot, 1).expect("odd")
    }

    #[test]
    fn a_name_has_one_holder_at_a_time() {
        let names = Names::default();
        assert!(names.register(&id("a"), handle(1)));
        assert!(!names.register(&id("a"), handle(2)), "taken");
        assert!(names.register(&id("b"), handle(2)));
        assert_eq!(names.find(&id("a")), Some(handle(1)));
        assert_eq!(names.find_text("default/b/0"), Some(handle(2)));
        assert_eq!(names.find_text("b"), None, "a text has three parts");
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn names_of_all_lengths_are_found_as_they_come_and_go() {
        let names = Names::default();
        let id_of = |number: u32| {
            let (part, filled) = ("a".repeat(63), (number % 190) as usize);
            let [one, two] = [filled.min(62), filled.saturating_sub(62).min(62)];
            id(&format!("a{}/a{}/{number}", &part[..one], &part[..two]))
        };
        for number in 0..5_000_u32 {
            assert!(names.register(&id_of(number), handle(number)));
            assert!(!names.register(&id_of(number), handle(number + 9_000)), "taken");
        }
        (0..5_000).step_by(3).for_each(|number| names.unregister(&id_of(number), handle(number)));
        for number in 0..5_000_u32 {
            let found = (!number.is_multiple_of(3)).then_some(handle(number));
            assert_eq!(names.find(&id_of(number)), found, "{}", id_of(number));
        }
        let all = names.matching(&"*".parse().expect("a pattern"));
        assert_eq!((names.len(), all.len()), (3_333, 3_333));
        assert!(all.iter().all(|(id, handle)| *id == id_of(handle.slot())));
        let longest = id(&format!("{0}/{0}/{0}", "z".repeat(63)));
        assert!(names.register(&longest, handle(5_000)));
        assert_eq!(names.find(&longest), Some(handle(5_000)));
        assert_eq!(names.find_text(&"z".repeat(300)), None, "no id is as long");
    }

    #[test]
    fn only_the_holder_frees_a_name() {
        let names = Names::default();
        let (old, new) = (Handle::new(1, 1).expect("odd"), Handle::new(1, 3).expect("odd"));
        names.register(&id("a"), old);
        names.unregister(&id("a"), old);
        assert_eq!((names.find(&id("a")), names.len()), (None, 0));
        names.register(&id("a"), new);
        names.unregister(&id("a"), old);
        assert_eq!(names.find(&id("a")), Some(new), "its predecessor has no say");
        names.unregister(&id("never"), new);
    }

    #[test]
    fn a_list_by_pattern_is_sorted() {
        let names = Names::default();
        for (slot, text) in ["x/b/1", "x/a/10", "x/a/2", "y/a/2", "c"].into_iter().enumerate() {
            names.register(&id(text), handle(slot as u32));
        }
        let list = |pattern: &str| {
            let found = names.matching(&pattern.parse().expect("a pattern"));
            found.into_iter().map(|(id, handle)| (id.to_string(), handle.slot())).collect::<Vec<_>>()
        };
        assert_eq!(list("x/*/*"), [("x/a/10".into(), 1), ("x/a/2".into(), 2), ("x/b/1".into(), 0)]);
        assert_eq!(list("*/a/2"), [("x/a/2".into(), 2), ("y/a/2".into(), 3)]);
        assert_eq!(list("c"), [("default/c/0".into(), 4)]);
        assert_eq!(list("none"), []);
        assert_eq!(list("*").len(), 5);
    }

    #[test]
    fn a_name_in_use_is_found_and_no_other_while_thousands_come_and_go() {
        const NAMES: u32 = 4_096;
        let names = Names::default();
        // One in eight stays, and a handle tells which name it is for.
        let name = |number: u32| id(&format!("{}/x/{number}", "n".repeat(1 + number as usize % 40)));
        let stays = |number: u32| number.is_multiple_of(8);
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for reader in 0..2 {
                let (names, done) = (&names, &done);
                scope.spawn(move || {
                    let (mut number, mut highest) = (reader, vec![0; NAMES as usize]);
                    while !done.load(Relaxed) {
                        number = (number * 5 + 7) % NAMES;
                        let found = names.find(&name(number));
                        assert!(found.is_none_or(|it| it.slot() == number), "{number}: {found:?}");
                        let generation = found.map_or(0, Handle::generation);
                        let seen = &mut highest[number as usize];
                        assert!(*seen == 0 || !stays(number) || generation == 1, "{number} was missed");
                        assert!(generation == 0 || generation >= *seen, "{number} is an earlier one");
                        *seen = generation.max(*seen);
                    }
                });
            }
            (0..NAMES).for_each(|number| assert!(names.register(&name(number), handle(number))));
            for generation in (1..31).step_by(2) {
                let of = |number, generation| Handle::new(number, generation).expect("odd");
                let going = |number: &u32| !stays(*number);
                (0..NAMES).filter(going).for_each(|it| names.unregister(&name(it), of(it, generation)));
                let come = |it| assert!(names.register(&name(it), of(it, generation + 2)));
                (0..NAMES).rev().filter(going).for_each(come);
            }
            done.store(true, Relaxed);
        });
        assert_eq!(names.len(), NAMES as usize);
    }

    #[test]
    fn threads_that_want_one_name_get_it_once() {
        let names = Names::default();
        std::thread::scope(|scope| {
            let takers: Vec<_> = (0..4)
                .map(|slot| {
                    scope.spawn({
                        let names = &names;
                        move || names.register(&id("a"), handle(slot))
                    })
                })
                .collect();
            let taken: Vec<bool> = takers.into_iter().map(|taker| taker.join().expect("no panic")).collect();
            assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
            let holder = names.find(&id("a")).expect("taken").slot();
            assert!(taken[holder as usize]);
        });
    }
}
