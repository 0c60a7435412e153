//! Groups of actors, as OTP's `pg` has them: a name for any number of members.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::handle::Handle;
use crate::sync::atomic::AtomicUsize;
use crate::sync::atomic::Ordering::Relaxed;
use crate::sync::{RwLock, read, write};

const GROUPS_MAX: usize = 10_000;
const NAME_BYTES_MAX: usize = 255;
const MEMBERSHIPS_MAX: usize = 1_000_000;

/// Who belongs to which group. A group is there while it has members.
// Whoever ends leaves all groups after its handle has stopped to be found; whoever lets a handle join looks for it
// afterwards and lets it leave again if it is gone. So nobody stays in a group that has ended.
pub(crate) struct Groups {
    table: RwLock<Table>,
    /// As many as in the table; changed under its lock, read without.
    memberships: AtomicUsize,
    groups_max: usize,
    memberships_max: usize,
}

#[derive(Default)]
struct Table {
    groups: HashMap<Arc<str>, Members, RandomState>,
    /// The groups of each member, with its place in each.
    memberships: HashMap<Handle, BTreeMap<Arc<str>, u64>, RandomState>,
    last_place: u64,
}

/// By the order of joining.
type Members = BTreeMap<u64, Handle>;

/// Why an actor cannot join a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotJoin {
    /// A name has 1 to 255 bytes and no control characters.
    InvalidName,
    /// There are as many groups as there may be.
    TooManyGroups {
        /// How many that is.
        groups_max: usize,
    },
    /// There are as many members, all groups together, as there may be.
    TooManyMembers {
        /// How many that is.
        memberships_max: usize,
    },
}

impl Groups {
    pub(crate) fn new() -> Self {
        Self {
            table: RwLock::new(Table::default()),
            memberships: AtomicUsize::new(0),
            groups_max: GROUPS_MAX,
            memberships_max: MEMBERSHIPS_MAX,
        }
    }

    /// Makes it a member, the last one; a member that joins again stays where it is (unlike in `pg`, where it counts twice).
    pub(crate) fn join(&self, group: &str, handle: Handle) -> Result<(), CannotJoin> {
        if group.is_empty() || group.len() > NAME_BYTES_MAX || group.chars().any(char::is_control) {
            return Err(CannotJoin::InvalidName);
        }
        let mut table = write(&self.table);
        if table.is_member(group, handle) {
            return Ok(());
        }
        let (groups_max, memberships_max) = (self.groups_max, self.memberships_max);
        if self.memberships.load(Relaxed) >= memberships_max {
            return Err(CannotJoin::TooManyMembers { memberships_max });
        }
        if table.groups.len() >= groups_max && !table.groups.contains_key(group) {
            return Err(CannotJoin::TooManyGroups { groups_max });
        }
        table.join(group, handle);
        self.memberships.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Ends a membership; `false` if there was none.
    pub(crate) fn leave(&self, group: &str, handle: Handle) -> bool {
        let mut table = write(&self.table);
        let left = table.leave(group, handle);
        self.memberships.fetch_sub(usize::from(left), Relaxed);
        left
    }

    /// Ends all memberships of one that has ended; next to nothing where it has none.
    pub(crate) fn leave_all(&self, handle: Handle) {
        let anybody = self.memberships.load(Relaxed) > 0;
        if anybody && read(&self.table).memberships.contains_key(&handle) {
            let mut table = write(&self.table);
            let left = table.leave_all(handle);
            self.memberships.fetch_sub(left, Relaxed);
        }
    }

    /// The members of a group in the order in which they joined.
    pub(crate) fn members(&self, group: &str) -> Vec<Handle> {
        let table = read(&self.table);
        table.groups.get(group).map_or_else(Vec::new, |members| members.values().copied().collect())
    }

    /// The names of all groups, sorted.
    pub(crate) fn groups(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = read(&self.table).groups.keys().cloned().collect();
        names.sort_unstable();
        names
    }
}

impl Table {
    fn is_member(&self, group: &str, handle: Handle) -> bool {
        self.memberships.get(&handle).is_some_and(|groups| groups.contains_key(group))
    }

    fn join(&mut self, group: &str, handle: Handle) {
        let name: Arc<str> = match self.groups.get_key_value(group) {
            Some((name, _)) => name.clone(),
            None => group.into(),
        };
        self.last_place += 1;
        self.groups.entry(name.clone()).or_default().insert(self.last_place, handle);
        self.memberships.entry(handle).or_default().insert(name, self.last_place);
    }

    fn leave(&mut self, group: &str, handle: Handle) -> bool {
        let Some(groups) = self.memberships.get_mut(&handle) else {
            return false;
        };
        let Some(place) = groups.remove(group) else {
            return false;
        };
        if groups.is_empty() {
            self.memberships.remove(&handle);
        }
        self.vacate(group, place);
        true
    }

    /// Returns how many groups it left.
    fn leave_all(&mut self, handle: Handle) -> usize {
        let groups = self.memberships.remove(&handle).unwrap_or_default();
        for (group, place) in &groups {
            self.vacate(group, *place);
        }
        groups.len()
    }

    fn vacate(&mut self, group: &str, place: u64) {
        let members = self.groups.get_mut(group).expect("a member's group is there");
        members.remove(&place);
        if members.is_empty() {
            self.groups.remove(group);
        }
    }
}

impl fmt::Display for CannotJoin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidName => {
                f.write_str("the name of a group has 1 to 255 bytes and no control characters")
            }
            Self::TooManyGroups { groups_max } => {
                write!(f, "there are {groups_max} groups, as many as there may be")
            }
            Self::TooManyMembers { memberships_max } => {
                write!(f, "all groups together have {memberships_max} members, as many as there may be")
            }
        }
    }
}

impl std::error::Error for CannotJoin {}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    fn handle(slot: u32) -> Handle {
        Handle::new(slot, 1).expect("odd")
    }

    fn slots(groups: &Groups, group: &str) -> Vec<u32> {
        groups.members(group).into_iter().map(Handle::slot).collect()
    }

    #[test]
    fn members_are_listed_in_the_order_of_joining() {
        let groups = Groups::new();
        for slot in [3, 1, 2] {
            groups.join("workers", handle(slot)).expect("room");
        }
        groups.join("workers", handle(3)).expect("a member already");
        assert_eq!(slots(&groups, "workers"), [3, 1, 2]);
        assert!(groups.leave("workers", handle(3)));
        groups.join("workers", handle(3)).expect("room");
        assert_eq!(slots(&groups, "workers"), [1, 2, 3]);
        assert!(slots(&groups, "nobody").is_empty());
    }

    #[test]
    fn a_group_is_there_while_it_has_members() {
        let groups = Groups::new();
        groups.join("b", handle(1)).expect("room");
        groups.join("a", handle(1)).expect("room");
        groups.join("a", handle(2)).expect("room");
        assert_eq!(groups.groups(), ["a".into(), "b".into()]);
        assert!(groups.leave("b", handle(1)));
        assert!(!groups.leave("b", handle(1)), "it has left");
        assert!(!groups.leave("a", handle(7)), "it never joined");
        assert_eq!(groups.groups(), ["a".into()]);
    }

    #[test]
    fn one_that_ended_is_in_no_group() {
        let groups = Groups::new();
        groups.leave_all(handle(1));
        for name in ["a", "b", "c"] {
            groups.join(name, handle(1)).expect("room");
        }
        groups.join("b", handle(2)).expect("room");
        groups.leave_all(handle(3));
        groups.leave_all(handle(1));
        groups.leave_all(handle(1));
        assert_eq!(groups.groups(), ["b".into()]);
        assert_eq!(slots(&groups, "b"), [2]);
        groups.leave_all(handle(2));
        assert_eq!(groups.memberships.load(Relaxed), 0);
        let table = read(&groups.table);
        assert!(table.groups.is_empty() && table.memberships.is_empty());
    }

    #[test]
    fn hostile_i10_names_of_groups_are_bounded_text() {
        let groups = Groups::new();
        let longest = "g".repeat(NAME_BYTES_MAX);
        for name in ["g", "a group", "gruppe-ä", &longest] {
            assert_eq!(groups.join(name, handle(1)), Ok(()));
        }
        for name in ["", "a\0", "a\n", &format!("{longest}g")] {
            assert_eq!(groups.join(name, handle(1)), Err(CannotJoin::InvalidName), "{name:?}");
        }
    }

    #[test]
    fn hostile_g9_groups_and_members_have_a_cap() {
        let groups = Groups { memberships_max: GROUPS_MAX + 10, ..Groups::new() };
        for number in 0..GROUPS_MAX {
            groups.join(&format!("g{number}"), handle(0)).expect("room");
        }
        let full = CannotJoin::TooManyGroups { groups_max: GROUPS_MAX };
        assert_eq!(groups.join("one more", handle(0)), Err(full));
        for slot in 1..=10 {
            groups.join("g7", handle(slot)).expect("a group that is there has room");
        }
        let full = CannotJoin::TooManyMembers { memberships_max: GROUPS_MAX + 10 };
        assert_eq!(groups.join("g8", handle(1)), Err(full));
        assert_eq!(groups.join("g7", handle(1)), Ok(()), "it is a member");
        groups.leave_all(handle(0));
        assert_eq!(groups.groups(), ["g7".into()]);
        assert_eq!(groups.join("one more", handle(0)), Ok(()));
    }
}

#[cfg(all(test, feature = "loom"))]
mod models {
    use loom::thread;

    use super::*;
    use crate::slots::Slots;

    #[test]
    fn model_one_that_ends_while_it_joins_is_in_no_group() {
        loom::model(|| {
            let world = Arc::new((Slots::new(2), Groups::new()));
            let (handle, _) = world.0.insert(|_| ()).expect("room");
            let ending = thread::spawn({
                let world = world.clone();
                move || {
                    world.0.remove(handle);
                    world.1.leave_all(handle);
                }
            });
            world.1.join("group", handle).expect("room");
            if world.0.get(handle).is_none() {
                world.1.leave_all(handle);
            }
            ending.join().expect("no panic");
            assert!(world.1.members("group").is_empty());
        });
    }
}
