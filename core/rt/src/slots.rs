//! The table of what lives, by slot and generation.

use crate::handle::Handle;
use crate::sync::{RwLock, read, write};

// In a model check more shards would only multiply the schedules to try.
const SHARDS: usize = if cfg!(feature = "loom") { 2 } else { 16 };
/// A slot's number is its place in the shard times `SHARDS` plus the shard, and fits 32 bits.
const SHARD_SLOTS_MAX: usize = (u32::MAX as usize + 1) / SHARDS;

/// The table holds as much as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Gives each value a handle that finds it until it is removed, and nothing ever after.
pub(crate) struct Slots<T> {
    shards: [Shard<T>; SHARDS],
}

// A shard each for two neighbours' cache lines: threads that spawn and stop at once do not meet.
#[repr(align(128))]
struct Shard<T>(RwLock<Table<T>>);

struct Table<T> {
    entries: Vec<Entry<T>>,
    /// Places to use again, the one freed last first: it is still in the cache.
    free: Vec<u32>,
    live: usize,
    live_max: usize,
}

struct Entry<T> {
    /// Odd while in use, even while free. 0 is fresh, or used up for good: after the last generation it is not free.
    generation: u32,
    /// `None` also from the moment the handle is made until its value is.
    value: Option<T>,
}

impl<T: Clone> Slots<T> {
    /// An empty table for at most `slots_max` values.
    pub(crate) fn new(slots_max: usize) -> Self {
        let share = |shard| slots_max / SHARDS + usize::from(shard < slots_max % SHARDS);
        let shards = std::array::from_fn(|shard| {
            let live_max = share(shard).min(SHARD_SLOTS_MAX);
            Shard(RwLock::new(Table { entries: Vec::new(), free: Vec::new(), live: 0, live_max }))
        });
        Self { shards }
    }

    /// Makes a value that may know its handle, and keeps it. No lock is held meanwhile, and the handle finds nothing yet.
    #[cfg(test)]
    pub(crate) fn insert(&self, make: impl FnOnce(Handle) -> T) -> Result<(Handle, T), Full> {
        let mut made = None;
        let handle = self.insert_if(|handle| {
            made = Some(make(handle));
            made.clone()
        })?;
        handle.zip(made).ok_or(Full)
    }

    /// The same, unless it is not made after all: then the slot is free again.
    pub(crate) fn insert_if(&self, make: impl FnOnce(Handle) -> Option<T>) -> Result<Option<Handle>, Full> {
        let reserved = self.reserve()?;
        let Some(value) = make(reserved.handle) else { return Ok(None) };
        Ok(Some(reserved.fill(value)))
    }

    fn reserve(&self) -> Result<Reserved<'_, T>, Full> {
        let home = home();
        for shard in (home..SHARDS).chain(0..home) {
            if let Some((place, generation)) = write(&self.shards[shard].0).reserve() {
                let slot = (place * SHARDS + shard) as u32;
                let handle = Handle::new(slot, generation).expect("a generation in use is odd");
                return Ok(Reserved { slots: self, handle });
            }
        }
        Err(Full)
    }

    /// The value of this handle, unless it was removed.
    pub(crate) fn get(&self, handle: Handle) -> Option<T> {
        read(self.shard(handle)).get(handle)?.value.clone()
    }

    /// Takes the value of this handle out, which then finds nothing any more.
    pub(crate) fn remove(&self, handle: Handle) -> Option<T> {
        write(self.shard(handle)).remove(handle)
    }

    /// Takes all values out.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut table = write(&shard.0);
            let gone: Vec<T> = table.entries.iter_mut().filter_map(|entry| entry.value.take()).collect();
            drop(table);
            drop(gone);
        }
    }

    /// How many slots are in use.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| read(&shard.0).live).sum()
    }

    /// All values, in no order. What comes or goes meanwhile may be in it or not.
    pub(crate) fn snapshot(&self) -> Vec<T> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(read(&shard.0).entries.iter().filter_map(|entry| entry.value.clone()));
        }
        all
    }
}

impl<T> Slots<T> {
    fn shard(&self, handle: Handle) -> &RwLock<Table<T>> {
        &self.shards[handle.slot() as usize % SHARDS].0
    }
}

impl<T> Table<T> {
    /// Takes a place into use; its generation is odd then.
    fn reserve(&mut self) -> Option<(usize, u32)> {
        if self.live >= self.live_max {
            return None;
        }
        let place = match self.free.pop() {
            Some(place) => place as usize,
            None if self.entries.len() < SHARD_SLOTS_MAX => {
                self.entries.push(Entry { generation: 0, value: None });
                self.entries.len() - 1
            }
            None => return None,
        };
        self.live += 1;
        self.entries[place].generation += 1;
        Some((place, self.entries[place].generation))
    }

    fn get(&self, handle: Handle) -> Option<&Entry<T>> {
        let entry = self.entries.get(handle.slot() as usize / SHARDS)?;
        (entry.generation == handle.generation()).then_some(entry)
    }

    fn get_mut(&mut self, handle: Handle) -> Option<&mut Entry<T>> {
        let entry = self.entries.get_mut(handle.slot() as usize / SHARDS)?;
        (entry.generation == handle.generation()).then_some(entry)
    }

    /// Keeps the value, or gives it back where the slot was freed meanwhile.
    fn fill(&mut self, handle: Handle, value: T) -> Option<T> {
        match self.get_mut(handle) {
            Some(entry) => entry.value.replace(value),
            None => Some(value),
        }
    }

    fn remove(&mut self, handle: Handle) -> Option<T> {
        let entry = self.get_mut(handle)?;
        let value = entry.value.take();
        entry.generation = entry.generation.wrapping_add(1);
        let used_up = entry.generation == 0;
        self.live -= 1;
        if !used_up {
            self.free.push(handle.slot() / SHARDS as u32);
        }
        value
    }
}

/// A slot whose value is being made; freed again if that panics.
struct Reserved<'a, T> {
    slots: &'a Slots<T>,
    handle: Handle,
}

impl<T> Reserved<'_, T> {
    fn fill(self, value: T) -> Handle {
        let handle = self.handle;
        let refused = write(self.slots.shard(handle)).fill(handle, value);
        std::mem::forget(self);
        // Only now: what a value does when it is dropped is not ours to know, so no lock may be held.
        drop(refused);
        handle
    }
}

impl<T> Drop for Reserved<'_, T> {
    fn drop(&mut self) {
        write(self.slots.shard(self.handle)).remove(self.handle);
    }
}

/// The shard where this thread inserts first: the address of something of its own, scattered.
fn home() -> usize {
    thread_local!(static SPOT: u8 = const { 0 });
    let address = SPOT.with(|spot| std::ptr::from_ref(spot).addr()) as u64;
    (address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % SHARDS
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use std::collections::HashSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_handle_finds_its_value_until_it_is_removed() {
        let slots = Slots::new(10);
        let (one, value) = slots.insert(|handle| Arc::new((handle, "one"))).expect("room");
        assert_eq!(value.0, one, "the value knows its handle");
        let (two, _) = slots.insert(|handle| Arc::new((handle, "two"))).expect("room");
        assert_eq!(slots.get(one).expect("there").1, "one");
        assert_eq!(slots.len(), 2);
        assert_eq!(slots.remove(one).expect("there").1, "one");
        assert_eq!(slots.get(one), None);
        assert_eq!(slots.remove(one), None);
        assert_eq!(slots.get(two).expect("untouched").1, "two");
        assert_eq!(slots.snapshot().len(), 1);
    }

    #[test]
    fn hostile_i2_a_reused_slot_is_not_found_by_an_older_handle() {
        let slots = Slots::new(1);
        let mut handles = HashSet::new();
        for life in 0..1_000 {
            let (handle, _) = slots.insert(|_| life).expect("the slot is free again");
            assert!(handles.insert(handle), "a handle comes once");
            assert_eq!(handles.iter().filter(|&&old| slots.get(old).is_some()).count(), 1);
            assert_eq!(slots.remove(handle), Some(life));
        }
        assert_eq!(handles.iter().map(|handle| handle.slot()).collect::<HashSet<_>>().len(), 1);
    }

    #[test]
    fn the_bound_is_exact_and_freed_slots_count_again() {
        for slots_max in [0, 1, 15, 16, 17, 100] {
            let slots = Slots::new(slots_max);
            let handles: Vec<_> = (0..slots_max).map(|n| slots.insert(|_| n).expect("room").0).collect();
            assert_eq!(slots.insert(|_| 0), Err(Full));
            assert_eq!(slots.len(), slots_max);
            for handle in handles {
                slots.remove(handle);
                let (new, _) = slots.insert(|_| 0).expect("a slot was freed");
                assert_ne!(new, handle);
            }
            assert_eq!(slots.insert(|_| 0), Err(Full));
        }
    }

    #[test]
    fn a_slot_whose_generations_are_used_up_is_never_used_again() {
        let slots = Slots::new(1);
        let (first, _) = slots.insert(|_| "first").expect("room");
        slots.remove(first);
        write(slots.shard(first)).entries[0].generation = u32::MAX - 1;
        let (last, _) = slots.insert(|_| "last").expect("room");
        assert_eq!((last.slot(), last.generation()), (first.slot(), u32::MAX));
        assert_eq!(slots.remove(last), Some("last"));
        assert_eq!((slots.remove(last), slots.get(last), slots.len()), (None, None, 0));
        let (next, _) = slots.insert(|_| "next").expect("another slot");
        assert_ne!(next.slot(), first.slot());
        assert_eq!((slots.get(first), slots.get(last)), (None, None));
    }

    #[test]
    fn a_handle_finds_nothing_while_its_value_is_made() {
        let slots = Slots::new(2);
        let (handle, _) = slots.insert(|handle| slots.get(handle).is_none()).expect("room");
        assert_eq!(slots.get(handle), Some(true));
    }

    #[test]
    fn what_is_removed_while_it_is_made_stays_removed() {
        let slots = Slots::new(1);
        let (handle, value) = slots.insert(|handle| slots.remove(handle).is_some()).expect("room");
        assert_eq!((value, slots.get(handle), slots.len()), (false, None, 0));
        assert!(slots.insert(|_| true).is_ok(), "its slot is free");
    }

    #[test]
    fn a_panic_in_the_making_frees_the_slot() {
        let slots = Slots::new(1);
        let made = catch_unwind(AssertUnwindSafe(|| slots.insert(|_| -> u8 { panic!("on purpose") })));
        assert!(made.is_err());
        assert_eq!(slots.len(), 0);
        assert!(slots.insert(|_| 1).is_ok());
    }

    #[test]
    fn hostile_i2_numbers_of_nobody_find_nothing_and_harm_nothing() {
        let slots = Slots::new(20);
        let (handle, _) = slots.insert(|_| 7).expect("room");
        for slot in [0, 1, 16, 17, 1_000, u32::MAX] {
            for generation in [1, 3, 5, u32::MAX] {
                let forged = Handle::new(slot, generation).expect("odd");
                if forged != handle {
                    assert_eq!((slots.get(forged), slots.remove(forged)), (None, None));
                }
            }
        }
        assert_eq!((slots.get(handle), slots.len()), (Some(7), 1));
    }

    #[test]
    fn threads_insert_and_remove_at_once_and_nothing_is_lost() {
        let slots = Slots::new(4_000);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let slots = &slots;
                scope.spawn(move || {
                    for number in 0..1_000 {
                        let (handle, _) = slots.insert(|_| (thread, number)).expect("room");
                        assert_eq!(slots.get(handle), Some((thread, number)));
                        if number % 2 == 0 {
                            assert_eq!(slots.remove(handle), Some((thread, number)));
                        }
                    }
                });
            }
        });
        assert_eq!(slots.len(), 2_000);
        assert_eq!(slots.snapshot().into_iter().collect::<HashSet<_>>().len(), 2_000);
    }
}

#[cfg(all(test, feature = "loom"))]
mod models {
    use std::sync::Arc;

    use loom::thread;

    use super::*;

    #[test]
    fn model_an_old_handle_never_finds_the_new_value() {
        loom::model(|| {
            let slots = Arc::new(Slots::new(SHARDS));
            let (old, _) = slots.insert(|_| "old").expect("room");
            let reuse = thread::spawn({
                let slots = slots.clone();
                move || {
                    assert_eq!(slots.remove(old), Some("old"));
                    slots.insert(|_| "new").expect("room").0
                }
            });
            assert_ne!(slots.get(old), Some("new"));
            assert_ne!(slots.get(old), Some("new"));
            let new = reuse.join().expect("no panic");
            assert_eq!(new.slot(), old.slot(), "the model is about one slot");
            assert_eq!((slots.get(old), slots.get(new)), (None, Some("new")));
        });
    }

    #[test]
    fn model_a_value_is_removed_once() {
        loom::model(|| {
            let slots = Arc::new(Slots::new(SHARDS));
            let (handle, _) = slots.insert(|_| 1).expect("room");
            let other = thread::spawn({
                let slots = slots.clone();
                move || slots.remove(handle).is_some()
            });
            let here = slots.remove(handle).is_some();
            // A second removal must not free the slot that an insertion took meanwhile.
            let (next, _) = slots.insert(|_| 2).expect("room");
            let there = other.join().expect("no panic");
            assert!(here != there, "removed once");
            assert_eq!((slots.get(handle), slots.get(next), slots.len()), (None, Some(2), 1));
        });
    }

    #[test]
    fn model_the_last_slot_goes_to_one() {
        loom::model(|| {
            let slots = Arc::new(Slots::new(1));
            let other = thread::spawn({
                let slots = slots.clone();
                move || slots.insert(|_| "there").ok()
            });
            let here = slots.insert(|_| "here").ok();
            let there = other.join().expect("no panic");
            assert!(here.is_some() != there.is_some(), "one of them");
            let (handle, value) = here.or(there).expect("one of them");
            assert_eq!((slots.get(handle), slots.len()), (Some(value), 1));
        });
    }

    #[test]
    fn model_what_is_removed_while_it_is_made_stays_removed() {
        loom::model(|| {
            let slots = Arc::new(Slots::new(1));
            let mut remover = None;
            let made = slots.insert(|handle| {
                let slots = slots.clone();
                remover = Some(thread::spawn(move || slots.remove(handle)));
                1
            });
            let (handle, _) = made.expect("room");
            let removed = remover.expect("spawned").join().expect("no panic");
            assert!(removed.is_none() || removed == Some(1));
            assert_eq!((slots.get(handle), slots.len()), (None, 0));
            let again = slots.insert(|handle| {
                assert_eq!(slots.get(handle), None, "nothing was left behind");
                2
            });
            assert!(again.is_ok(), "the slot is free again");
        });
    }
}
