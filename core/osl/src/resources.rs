//! How many files, sockets and programs may be open at once: of one actor, and of all of a system.
//!
//! A [`Permit`] counts on both, taken in one step, so that whoever waits holds nothing. Who waits is served in the order
//! of asking among those of one actor. Actors take turns: each that has somebody waiting, and room of its own, gets one
//! permit a round, so a thousand waiters of one delay another actor by one permit. Nobody overtakes: while somebody waits
//! for the system, it is full. An actor that has reached its own limit has no turn, and goes to the end of the
//! round when it has room again.

mod acquire;
mod book;
mod error;
mod limits;
mod permit;
mod rate;
mod wait;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use acquire::Acquire;
pub use error::{AcquireError, Exhausted, Whose};
pub use limits::{Resource, ResourceLimits, SystemLimits};
pub use permit::Permit;

use book::Book;
use permit::wake;
pub(crate) use rate::Rate;

/// Waiters of one actor for one resource, beyond which more are refused.
pub const WAITING_MAX: usize = 4_096;

/// The resources of one system; a clone is the same.
#[derive(Clone)]
pub struct ResourceManager(Arc<Shared>);

struct Shared {
    /// One lock each for files, sockets and programs; nothing of others runs under it.
    books: [Mutex<Book>; 3],
    starts: Mutex<Rate>,
    began: Instant,
    last_actor: AtomicU64,
}

/// The resources of one actor, as a part of its system's; a clone is the same.
#[derive(Clone)]
pub struct Resources {
    actor: Arc<Actor>,
    reserved: Option<Arc<Mutex<Option<Permit>>>>,
}

struct Actor {
    shared: Arc<Shared>,
    /// Its key in the books, never given twice.
    key: u64,
}

impl ResourceManager {
    pub fn new(limits: SystemLimits) -> Self {
        let SystemLimits { files_max, sockets_max, processes_max, starts_per_second_max } = limits;
        let books = [files_max, sockets_max, processes_max].map(|max| Mutex::new(Book::new(max)));
        let starts = Mutex::new(Rate::new(starts_per_second_max));
        Self(Arc::new(Shared { books, starts, began: Instant::now(), last_actor: AtomicU64::new(0) }))
    }

    /// The resources of one more actor.
    pub fn actor(&self, limits: ResourceLimits) -> Resources {
        let key = self.0.last_actor.fetch_add(1, Ordering::Relaxed) + 1;
        for resource in Resource::ALL {
            self.0.book(resource).enter(key, limits.of(resource));
        }
        Resources { actor: Arc::new(Actor { shared: self.0.clone(), key }), reserved: None }
    }

    /// The limits from now on. What is open above a lower one stays open.
    pub fn set_limits(&self, limits: SystemLimits) {
        let SystemLimits { files_max, sockets_max, processes_max, starts_per_second_max } = limits;
        let of_actor = ResourceLimits { files_max, sockets_max, processes_max };
        for resource in Resource::ALL {
            let woken = self.0.book(resource).limit(of_actor.of(resource));
            wake(woken);
        }
        lock(&self.0.starts).set_per_second(starts_per_second_max);
    }

    /// How many all actors have open now, with permits that were handed to a waiter and not yet seen by it.
    pub fn used(&self, resource: Resource) -> usize {
        self.0.book(resource).used()
    }

    /// How many wait now.
    pub fn waiting(&self, resource: Resource) -> usize {
        self.0.book(resource).waiting()
    }
}

impl Default for ResourceManager {
    fn default() -> Self {
        Self::new(SystemLimits::default())
    }
}

impl Resources {
    /// Of an actor that is alone in a system of its own, which has no limits but the actor's.
    pub fn new(limits: ResourceLimits) -> Self {
        let max = usize::MAX;
        let all =
            SystemLimits { files_max: max, sockets_max: max, processes_max: max, ..SystemLimits::default() };
        ResourceManager::new(all).actor(limits)
    }

    /// One now, or whose limit is reached.
    pub fn try_acquire(&self, resource: Resource) -> Result<Permit, Exhausted> {
        if let Some(reserved) = &self.reserved
            && let Some(permit) = lock(reserved).take_if(|permit| permit.resource == resource)
        {
            return Ok(permit);
        }
        let taken = self.actor.book(resource).take(self.actor.key);
        taken.map_err(|(whose, allowed)| Exhausted { resource, whose, allowed })?;
        Ok(Permit { actor: self.actor.clone(), resource })
    }

    /// One as soon as it is this one's turn. Waiting begins at the first poll; dropped, it gives up its place, and
    /// what was handed to it at that moment goes to the next.
    pub fn acquire(&self, resource: Resource) -> Acquire {
        Acquire::new(self.clone(), resource)
    }

    /// The same, on a thread that blocks until then, or until the deadline.
    pub fn acquire_until(&self, resource: Resource, deadline: Instant) -> Result<Permit, AcquireError> {
        let timeout = AcquireError::Timeout { resource };
        wait::until(deadline, self.acquire(resource)).unwrap_or(Err(timeout))
    }

    /// The same resources, of which the permit is the next of its kind that is taken: whoever has waited for one has what
    /// it opens count as that one. The permit of another actor stays its own, and is dropped here.
    pub fn with_permit(&self, permit: Permit) -> Self {
        let own = Arc::ptr_eq(&permit.actor, &self.actor).then_some(permit);
        Self { actor: self.actor.clone(), reserved: Some(Arc::new(Mutex::new(own))) }
    }

    /// The limits from now on. What is open above a lower one stays open.
    pub fn set_limits(&self, limits: ResourceLimits) {
        for resource in Resource::ALL {
            let woken = self.actor.book(resource).limit_actor(self.actor.key, limits.of(resource));
            wake(woken);
        }
    }

    /// How many this actor has open now, with permits that were handed to a waiter and not yet seen by it.
    pub fn used(&self, resource: Resource) -> usize {
        self.actor.book(resource).used_by(self.actor.key)
    }

    /// Counts the start of a program on those of the system, or says how many may be in a second.
    pub(crate) fn take_start(&self) -> Result<(), u32> {
        let shared = &self.actor.shared;
        let mut starts = lock(&shared.starts);
        if starts.take(shared.began.elapsed()) { Ok(()) } else { Err(starts.per_second()) }
    }
}

impl Default for Resources {
    /// Of an actor that is alone in a system of its own, with the default limits.
    fn default() -> Self {
        Self::new(ResourceLimits::default())
    }
}

impl Shared {
    fn book(&self, resource: Resource) -> MutexGuard<'_, Book> {
        lock(&self.books[resource as usize])
    }
}

impl Actor {
    fn book(&self, resource: Resource) -> MutexGuard<'_, Book> {
        self.shared.book(resource)
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        // Permits and waiters hold it, so there are none any more.
        Resource::ALL.iter().for_each(|resource| self.book(*resource).leave(self.key));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code that runs under these locks can leave something half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
