//! A store in a temporary directory, and an actor that uses it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use airssys_osl::{Change, DenialKind, Kv, KvError, Store, StoreLimits};

use super::World;

pub struct Shelf {
    pub world: World,
    pub store: Store,
    pub kv: Kv,
}

impl Shelf {
    /// An actor with these grants, numbered from 1, and a new store.
    pub fn new(grants: &[&str]) -> Self {
        Self::with(grants, StoreLimits::default())
    }

    pub fn with(grants: &[&str], limits: StoreLimits) -> Self {
        let world = World::new(grants);
        let store = Store::open(&path(&world), limits, world.audit.protected()).unwrap();
        let kv = Kv::new(world.set.clone(), store.clone());
        Self { world, store, kv }
    }

    /// The same after a restart.
    pub fn reopened(self) -> Self {
        self.store.close();
        let store =
            Store::open(&path(&self.world), *self.store.limits(), self.world.audit.protected()).unwrap();
        let kv = Kv::new(self.world.set.clone(), store.clone());
        Self { world: self.world, store, kv }
    }

    pub fn set(&self, key: &str, value: &[u8]) -> Result<u64, KvError> {
        self.change(Change::Set(vec![(key.to_owned(), value.to_vec())]))
    }

    /// Makes a change to `notes`.
    pub fn change(&self, change: Change) -> Result<u64, KvError> {
        self.kv.change("notes", change, "test")?.wait(soon())
    }

    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.kv.get("notes", key, "test").unwrap()
    }
}

pub fn path(world: &World) -> PathBuf {
    world.path("store.db").into()
}

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[track_caller]
pub fn assert_denied<T: std::fmt::Debug>(done: Result<T, KvError>, kind: DenialKind) {
    match done {
        Err(KvError::Denied(denial)) => assert_eq!(denial.kind, kind),
        other => panic!("not denied: {other:?}"),
    }
}
