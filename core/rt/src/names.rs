//! The names of the live: which handle an id means now.

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use foldhash::fast::RandomState;

use crate::handle::Handle;
use crate::id::ActorId;
use crate::id_pattern::IdPattern;

/// One handle for each name in use. It holds no more names than there are live handles, which are bounded elsewhere.
#[derive(Default)]
pub(crate) struct Names(DashMap<ActorId, Handle, RandomState>);

impl Names {
    /// Gives the name to this handle; `false` if it is taken.
    pub(crate) fn register(&self, id: ActorId, handle: Handle) -> bool {
        match self.0.entry(id) {
            Entry::Occupied(_) => false,
            Entry::Vacant(free) => {
                free.insert(handle);
                true
            }
        }
    }

    /// Frees the name if it is still this handle's.
    pub(crate) fn unregister(&self, id: &ActorId, handle: Handle) {
        self.0.remove_if(id, |_, holder| *holder == handle);
    }

    /// The handle of this name.
    #[inline]
    pub(crate) fn find(&self, id: &ActorId) -> Option<Handle> {
        self.find_text(id.as_str())
    }

    /// The handle of the name with this text, all three parts of it.
    #[inline]
    pub(crate) fn find_text(&self, id: &str) -> Option<Handle> {
        self.0.get(id).map(|entry| *entry)
    }

    /// Those whose names match, in the order of the names.
    pub(crate) fn matching(&self, pattern: &IdPattern) -> Vec<(ActorId, Handle)> {
        if pattern.is_exact() {
            return self
                .0
                .get(pattern.as_str())
                .map(|entry| (entry.key().clone(), *entry))
                .into_iter()
                .collect();
        }
        let matching = self.0.iter().filter(|entry| pattern.matches(entry.key()));
        let mut matching: Vec<_> = matching.map(|entry| (entry.key().clone(), *entry)).collect();
        matching.sort_unstable();
        matching
    }

    /// How many names are in use.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
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
        assert!(names.register(id("a"), handle(1)));
        assert!(!names.register(id("a"), handle(2)), "taken");
        assert!(names.register(id("b"), handle(2)));
        assert_eq!(names.find(&id("a")), Some(handle(1)));
        assert_eq!(names.find_text("default/b/0"), Some(handle(2)));
        assert_eq!(names.find_text("b"), None, "a text has three parts");
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn only_the_holder_frees_a_name() {
        let names = Names::default();
        let (old, new) = (Handle::new(1, 1).expect("odd"), Handle::new(1, 3).expect("odd"));
        names.register(id("a"), old);
        names.unregister(&id("a"), old);
        assert_eq!((names.find(&id("a")), names.len()), (None, 0));
        names.register(id("a"), new);
        names.unregister(&id("a"), old);
        assert_eq!(names.find(&id("a")), Some(new), "its predecessor has no say");
        names.unregister(&id("never"), new);
    }

    #[test]
    fn a_list_by_pattern_is_sorted() {
        let names = Names::default();
        for (slot, text) in ["x/b/1", "x/a/10", "x/a/2", "y/a/2", "c"].into_iter().enumerate() {
            names.register(id(text), handle(slot as u32));
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
    fn threads_that_want_one_name_get_it_once() {
        let names = Names::default();
        std::thread::scope(|scope| {
            let takers: Vec<_> = (0..4)
                .map(|slot| {
                    scope.spawn({
                        let names = &names;
                        move || names.register(id("a"), handle(slot))
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
