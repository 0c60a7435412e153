//! `wasi:keyvalue` over osl: a bucket is a namespace, and each use of it asks the live grants.

use airssys_osl::{Ask, Change, Kv, KvError};
use wasmtime::component::Resource;

use self::bindings::wasi::keyvalue::{atomics, batch, store};
use super::state::State;

pub(crate) mod bindings {
    //! What the draft looks like from here.
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package airwasm:keyvalue; world imports { include wasi:keyvalue/imports@0.2.0-draft; }",
        world: "airwasm:keyvalue/imports",
        imports: {
            // Neither a reader nor who waits for a commit keeps a worker's thread.
            "wasi:keyvalue/store.[drop]bucket": trappable,
            default: async | trappable,
        },
        with: { "wasi:keyvalue/store.bucket": super::Bucket },
    });
}

/// The name of a namespace; that it is open allows nothing.
pub struct Bucket(String);

/// The namespace that is meant by no name, as hosts of only one bucket have it.
const UNNAMED: &str = "default";
/// Most keys of one `list-keys`.
const KEYS_MAX: usize = 1_000;

type Told<T> = wasmtime::Result<Result<T, store::Error>>;

impl State {
    fn kv(&self) -> Result<Kv, store::Error> {
        self.grounds.access.kv.clone().ok_or(store::Error::NoSuchStore)
    }

    fn namespace(&self, bucket: &Resource<Bucket>) -> wasmtime::Result<String> {
        Ok(self.table.get(bucket)?.0.clone())
    }

    /// Reads away from the worker.
    async fn read_kv<T: Send + 'static>(
        &mut self,
        bucket: &Resource<Bucket>,
        read: impl FnOnce(&Kv, &str) -> Result<T, KvError> + Send + 'static,
    ) -> Told<T> {
        let namespace = self.namespace(bucket)?;
        let kv = match self.kv() {
            Ok(kv) => kv,
            Err(error) => return Ok(Err(error)),
        };
        let turn = self.grounds.access.turns.take().await;
        let reading = tokio::task::spawn_blocking(move || {
            // Whoever asked may be gone: the thread is in use all the same.
            let _turn = turn;
            read(&kv, &namespace)
        });
        let read = reading.await.unwrap_or_else(|why| Err(std::io::Error::other(why).into()));
        Ok(read.map_err(|error| self.kv_error(error)))
    }

    /// Makes a change; the guest is suspended until it is on the disk.
    async fn change_kv(
        &mut self,
        bucket: &Resource<Bucket>,
        change: Change,
        function: &'static str,
    ) -> Told<u64> {
        let namespace = self.namespace(bucket)?;
        let kv = match self.kv() {
            Ok(kv) => kv,
            Err(error) => return Ok(Err(error)),
        };
        let (turn, bytes) = (self.grounds.access.turns.take().await, change.bytes());
        let written = match self.files.count_written(bytes) {
            Ok(written) => written,
            Err(why) => return Ok(Err(store::Error::Other(why.to_string()))),
        };
        // It keeps its turn until it is made, whether anybody still waits for it or not.
        let made = match kv.change_keeping(&namespace, change, function, turn) {
            Ok(pending) => pending.await,
            Err(error) => Err(error),
        };
        // What may still be made counts, so nothing is given back unless it was refused.
        if made.as_ref().is_err_and(KvError::is_refusal) {
            written.give_back();
        }
        Ok(made.map_err(|error| self.kv_error(error)))
    }

    /// What a guest may know of it; a denial is noted.
    fn kv_error(&self, error: KvError) -> store::Error {
        match error {
            KvError::Denied(denial) => {
                self.refusals.note(&denial);
                store::Error::AccessDenied
            }
            KvError::BadName(_) => store::Error::NoSuchStore,
            // What befell the host's files is the host's business.
            KvError::Io(_) => store::Error::Other("the store cannot be read or written".to_owned()),
            KvError::Damaged(_) => store::Error::Other("the store is damaged".to_owned()),
            KvError::Broken(_) => store::Error::Other("the store takes no changes".to_owned()),
            error => store::Error::Other(error.to_string()),
        }
    }
}

impl store::Host for State {
    async fn open(&mut self, identifier: String) -> Told<Resource<Bucket>> {
        let identifier = if identifier.is_empty() { UNNAMED.to_owned() } else { identifier };
        if let Err(error) = self.kv() {
            return Ok(Err(error));
        }
        if let Err(error) = Kv::check_name(&identifier) {
            return Ok(Err(self.kv_error(error)));
        }
        let (read, write) = (Ask::KvRead(identifier.clone()), Ask::KvWrite(identifier.clone()));
        if !self.refusals.covers(&write) && self.refusals.check(&read, "wasi:keyvalue/store#open").is_err() {
            return Ok(Err(store::Error::AccessDenied));
        }
        Ok(Ok(self.table.push(Bucket(identifier))?))
    }
}

impl store::HostBucket for State {
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Told<Option<Vec<u8>>> {
        let function = "wasi:keyvalue/store#[method]bucket.get";
        self.read_kv(&bucket, move |kv, namespace| kv.get(namespace, &key, function)).await
    }

    async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Told<()> {
        let change = Change::Set(vec![(key, value)]);
        let set = self.change_kv(&bucket, change, "wasi:keyvalue/store#[method]bucket.set").await?;
        Ok(set.map(drop))
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Told<()> {
        let change = Change::Delete(vec![key]);
        let deleted = self.change_kv(&bucket, change, "wasi:keyvalue/store#[method]bucket.delete").await?;
        Ok(deleted.map(drop))
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Told<bool> {
        let function = "wasi:keyvalue/store#[method]bucket.exists";
        self.read_kv(&bucket, move |kv, namespace| kv.exists(namespace, &key, function)).await
    }

    async fn list_keys(&mut self, bucket: Resource<Bucket>, cursor: Option<u64>) -> Told<store::KeyResponse> {
        let function = "wasi:keyvalue/store#[method]bucket.list-keys";
        let list = move |kv: &Kv, namespace: &str| kv.list(namespace, cursor, KEYS_MAX, function);
        let page = self.read_kv(&bucket, list).await?;
        Ok(page.map(|page| store::KeyResponse { keys: page.keys, cursor: page.cursor }))
    }

    fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for State {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: u64) -> Told<u64> {
        let change = Change::Increment { key, delta };
        self.change_kv(&bucket, change, "wasi:keyvalue/atomics#increment").await
    }
}

impl batch::Host for State {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Told<Vec<Option<(String, Vec<u8>)>>> {
        let function = "wasi:keyvalue/batch#get-many";
        self.read_kv(&bucket, move |kv, namespace| {
            let values = kv.get_many(namespace, &keys, function)?;
            Ok(keys.into_iter().zip(values).map(|(key, value)| Some((key, value?))).collect())
        })
        .await
    }

    async fn set_many(&mut self, bucket: Resource<Bucket>, key_values: Vec<(String, Vec<u8>)>) -> Told<()> {
        let set = self.change_kv(&bucket, Change::Set(key_values), "wasi:keyvalue/batch#set-many").await?;
        Ok(set.map(drop))
    }

    async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Told<()> {
        let change = Change::Delete(keys);
        let deleted = self.change_kv(&bucket, change, "wasi:keyvalue/batch#delete-many").await?;
        Ok(deleted.map(drop))
    }
}
