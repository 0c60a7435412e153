//! The key-value store: opened for the guests, and used by the host itself.

use std::path::Path;

use airssys_osl::{Audit, Capability, CapabilitySet, Change, Kv, KvError, Store, StoreLimits};
use airssys_rt::promise;
use std::sync::Arc;

use super::System;
use super::operation::Operation;
use crate::types::error::{Code, Error, Result};
use crate::types::kv::KvKeys;

/// As whom the host program is known to the audit.
const HOST: &str = "host";
/// Keys of one page.
const KEYS_MAX: usize = 1_000;

impl System {
    /// The value of a key in a namespace of the store, none if there is no such key. Needs no grant: it is the host that
    /// asks. `UNSUPPORTED` where the system was opened without a store.
    pub fn kv_get(&self, namespace: &str, key: &str) -> Result<Option<Vec<u8>>> {
        self.kv_get_async(namespace, key).wait()
    }

    /// [`kv_get`](System::kv_get) without blocking.
    pub fn kv_get_async(&self, namespace: &str, key: &str) -> Operation<Option<Vec<u8>>> {
        let (namespace, key) = (namespace.to_owned(), key.to_owned());
        self.kv_read(move |kv| kv.get(&namespace, &key, "kv_get"))
    }

    /// Puts a value there, over the one that was there; it is on the disk when this answers.
    pub fn kv_set(&self, namespace: &str, key: &str, value: &[u8]) -> Result<()> {
        self.kv_set_async(namespace, key, value).wait()
    }

    /// [`kv_set`](System::kv_set) without blocking. Given up, it may be made all the same.
    pub fn kv_set_async(&self, namespace: &str, key: &str, value: &[u8]) -> Operation<()> {
        let change = Change::Set(vec![(key.to_owned(), value.to_vec())]);
        self.kv_change(namespace, change, "kv_set", |_| ())
    }

    /// Takes a key away; whether it was there. It is off the disk when this answers.
    pub fn kv_delete(&self, namespace: &str, key: &str) -> Result<bool> {
        self.kv_delete_async(namespace, key).wait()
    }

    /// [`kv_delete`](System::kv_delete) without blocking. Given up, it may be made all the same.
    pub fn kv_delete_async(&self, namespace: &str, key: &str) -> Operation<bool> {
        self.kv_change(namespace, Change::Delete(vec![key.to_owned()]), "kv_delete", |deleted| deleted > 0)
    }

    /// At most 1,000 keys of a namespace in the order in which they first came, from the first one or from the cursor of
    /// the page before.
    pub fn kv_list(&self, namespace: &str, cursor: Option<u64>) -> Result<KvKeys> {
        self.kv_list_async(namespace, cursor).wait()
    }

    /// [`kv_list`](System::kv_list) without blocking.
    pub fn kv_list_async(&self, namespace: &str, cursor: Option<u64>) -> Operation<KvKeys> {
        let namespace = namespace.to_owned();
        self.kv_read(move |kv| {
            let page = kv.list(&namespace, cursor, KEYS_MAX, "kv_list")?;
            Ok(KvKeys { keys: page.keys, cursor: page.cursor })
        })
    }

    fn kv_read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Kv) -> std::result::Result<T, KvError> + Send + 'static,
    ) -> Operation<T> {
        let (inner, kv) = match self.host_kv() {
            Ok(found) => found,
            Err(error) => return self.failed(error),
        };
        let (resolver, pending) = promise();
        inner.io.handle().spawn_blocking(move || resolver.settle(read(&kv).map_err(error)));
        Operation::new(pending, None, &inner.tickets)
    }

    fn kv_change<T: Send + 'static>(
        &self,
        namespace: &str,
        change: Change,
        function: &'static str,
        told: fn(u64) -> T,
    ) -> Operation<T> {
        let begun = self
            .host_kv()
            .and_then(|(inner, kv)| Ok((inner, kv.change(namespace, change, function).map_err(error)?)));
        let (inner, change) = match begun {
            Ok(begun) => begun,
            Err(error) => return self.failed(error),
        };
        let (resolver, pending) = promise();
        inner.io.handle().spawn(async move { resolver.settle(change.await.map(told).map_err(error)) });
        Operation::new(pending, None, &inner.tickets)
    }

    fn host_kv(&self) -> Result<(&Arc<super::Inner>, Kv)> {
        let inner = self.open_inner()?;
        let none = "the system was opened without a store: give it the path of one, as in kv: \"store.db\"";
        let kv = inner.kv.clone().ok_or_else(|| Error::new(Code::Unsupported, none))?;
        Ok((inner, kv))
    }
}

/// Opens the store, where there is one to be.
pub(super) fn open(path: Option<&Path>, audit: &Arc<Audit>) -> Result<Option<(Store, Kv)>> {
    let Some(path) = path else { return Ok(None) };
    let place = |why: KvError| {
        let error = error(why);
        let message = format!("kv {}: {}", path.display(), error.message);
        Error { message, ..error }.with("path", path.display().to_string())
    };
    let store = Store::open(path, StoreLimits::default(), audit.protected()).map_err(place)?;
    let set = CapabilitySet::new(HOST, audit.clone());
    let all = Capability::parse("kv.read,write *").expect("it is a capability");
    for (id, capability) in (1..).zip(all) {
        set.grant(id, capability, None).expect("nothing refuses it");
    }
    let kv = Kv::new(set, store.clone());
    Ok(Some((store, kv)))
}

/// What the host is told.
fn error(error: KvError) -> Error {
    let text = error.to_string();
    match error {
        KvError::Denied(denial) => Error::from(denial),
        KvError::BadName(why) => Error::argument("namespace", why),
        KvError::KeyTooLong { .. } => Error::argument("key", text),
        KvError::ValueTooLarge { .. } => Error::argument("value", text),
        KvError::BatchTooLarge { .. } | KvError::NotNumber | KvError::Overflow => {
            Error::argument("value", text)
        }
        KvError::QuotaExceeded { quota_bytes, needed_bytes } => {
            Error::limit("kv_bytes", quota_bytes, needed_bytes)
        }
        KvError::Full(which) => Error::new(Code::LimitExceeded, text).with("which", format!("kv_{which}")),
        KvError::Busy { queued_max } => {
            let error = Error::new(Code::LimitExceeded, text).with("which", "kv_queued");
            error.with("allowed", queued_max).with("used", queued_max)
        }
        KvError::TimedOut => Error::new(Code::Timeout, text),
        KvError::Closed => Error::new(Code::Closed, text),
        KvError::Io(why) => Error::new(Code::Io, text).with("errno", why.raw_os_error().unwrap_or_default()),
        _ => Error::new(Code::Io, text).with("errno", 0),
    }
}
