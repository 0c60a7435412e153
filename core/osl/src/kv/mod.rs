//! Keys and values on disk: one store, in it namespaces that grants name.
//!
//! | operation | needs of the namespace |
//! |---|---|
//! | `get`, `get_many`, `exists`, `list` | `kv.read` |
//! | [`Change::Set`], [`Change::Delete`] | `kv.write` |
//! | [`Change::Increment`], [`Change::Swap`] | `kv.write` and `kv.read` |
//!
//! - One thread writes. A commit makes all changes that wait by then, and waits for the disk once; only then are those
//!   answered who asked for them. So a change that was answered is there after a crash, and one that was not is there
//!   as a whole or not at all.
//! - A read begins after whatever was answered before it; no commit keeps it waiting.
//! - The `quota` of a grant bounds the keys and values of each namespace that it covers, whoever wrote them; of several
//!   grants the most generous counts. What does not grow is never refused for it.
//! - A change whose grant ends before its turn is not made; whoever waits for one hears of the end at once.
//! - Once a commit has failed no more changes are taken until the store is opened anew: what the disk holds then is
//!   looked at, not guessed. Reading goes on.
//! - Each pair has a sum: what the disk gives back otherwise than it was written is an error, and no value.

mod change;
mod error;
mod file;
mod limits;
mod pending;
mod queue;
mod readers;
mod space;
mod store;
mod sum;
mod writer;

use self::change::batch_bytes;
use self::pending::Answer;
use self::queue::Write;
use crate::ask::Ask;
use crate::denial::Refusal;
use crate::grant::Guard;
use crate::scope::label_pattern::label;
use crate::set::CapabilitySet;

pub use self::change::Change;
pub use self::error::KvError;
pub use self::limits::StoreLimits;
pub use self::pending::Pending;
pub use self::readers::Keys;
pub use self::store::Store;

/// A store as the holder of a [`CapabilitySet`] may use it; a clone is the same.
///
/// What reads blocks; callers run it on a pool for blocking work. A change only waits in a queue.
#[derive(Clone)]
pub struct Kv {
    set: CapabilitySet,
    store: Store,
}

impl Kv {
    pub fn new(set: CapabilitySet, store: Store) -> Self {
        Self { set, store }
    }

    /// Whether a namespace can have this name.
    pub fn check_name(namespace: &str) -> Result<(), KvError> {
        label(namespace).map(drop).map_err(KvError::BadName)
    }

    /// The value of a key, none if there is no such key.
    pub fn get(&self, namespace: &str, key: &str, function: &str) -> Result<Option<Vec<u8>>, KvError> {
        Ok(self.get_many(namespace, &[key.to_owned()], function)?.pop().flatten())
    }

    /// The values of several keys, all as they were at one moment.
    pub fn get_many(
        &self,
        namespace: &str,
        keys: &[String],
        function: &str,
    ) -> Result<Vec<Option<Vec<u8>>>, KvError> {
        batch_bytes(keys.iter().map(|key| (key.as_str(), 0)), self.store.limits())?;
        self.read(namespace, function, || self.store.readers().get(namespace, keys, self.store.limits()))
    }

    /// Whether there is such a key.
    pub fn exists(&self, namespace: &str, key: &str, function: &str) -> Result<bool, KvError> {
        batch_bytes([(key, 0)].into_iter(), self.store.limits())?;
        self.read(namespace, function, || self.store.readers().exists(namespace, key))
    }

    /// At most `keys_max` keys after a cursor that a listing gave, or from the first one.
    pub fn list(
        &self,
        namespace: &str,
        cursor: Option<u64>,
        keys_max: usize,
        function: &str,
    ) -> Result<Keys, KvError> {
        let keys_max = keys_max.clamp(1, self.store.limits().batch_pairs_max);
        self.read(namespace, function, || self.store.readers().list(namespace, cursor, keys_max))
    }

    /// Begins a change; what it gives tells when it is on the disk.
    pub fn change(&self, namespace: &str, change: Change, function: &str) -> Result<Pending, KvError> {
        self.change_keeping(namespace, change, function, ())
    }

    /// The same, and keeps something until it is made, whether anybody still waits for it or not: a turn, say.
    pub fn change_keeping(
        &self,
        namespace: &str,
        change: Change,
        function: &str,
        kept: impl Send + 'static,
    ) -> Result<Pending, KvError> {
        Self::check_name(namespace)?;
        let bytes = change.checked(self.store.limits())?;
        let ask = Ask::KvWrite(namespace.to_owned());
        let quota = |guard: &Guard| guard.capability().quota_bytes();
        let writes = self.covering(&ask, function)?;
        let generous = writes.into_iter().max_by_key(|guard| quota(guard).unwrap_or(u64::MAX));
        let generous = generous.expect("what covers is at least one");
        let (quota_bytes, capability) = (quota(&generous), ask.capability_text());
        let mut guards = vec![generous];
        if change.reads() {
            let ask = Ask::KvRead(namespace.to_owned());
            guards.push(self.set.check(&ask, function)?);
        }
        self.set.allow(&guards[0], capability.clone(), function);
        let (namespace, answer) = (namespace.to_owned(), Answer::new());
        let write = Write { namespace, change, quota_bytes, guards, bytes, answer, _kept: Box::new(kept) };
        self.begin(write, capability, function)
    }

    fn begin(&self, write: Write, capability: String, function: &str) -> Result<Pending, KvError> {
        let tie =
            |guard: &Guard| guard.tie(write.answer.clone()).map_err(|kind| (guard.rule().clone(), kind));
        let leases = write.guards.iter().map(tie).collect::<Result<_, _>>().map_err(|(rule, kind)| {
            self.set.deny(Refusal::because(kind, rule), capability.clone(), function)
        })?;
        let answer = write.answer.clone();
        self.store.push(write)?;
        Ok(Pending { answer, leases, set: self.set.clone(), capability, function: function.to_owned() })
    }

    fn read<T>(
        &self,
        namespace: &str,
        function: &str,
        read: impl FnOnce() -> Result<T, KvError>,
    ) -> Result<T, KvError> {
        Self::check_name(namespace)?;
        let ask = Ask::KvRead(namespace.to_owned());
        let guard = self.set.check(&ask, function)?;
        let found = read()?;
        match guard.alive() {
            Ok(()) => Ok(found),
            Err(kind) => {
                let refusal = Refusal::because(kind, guard.rule().clone());
                Err(self.set.deny(refusal, ask.capability_text(), function).into())
            }
        }
    }

    fn covering(&self, ask: &Ask, function: &str) -> Result<Vec<Guard>, KvError> {
        let covering = self.set.covering(std::slice::from_ref(ask));
        covering.map_err(|refusal| self.set.deny(refusal, ask.capability_text(), function).into())
    }
}
