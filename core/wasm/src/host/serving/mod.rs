//! `wasi:http/incoming-handler` on an address that is granted: who may connect, and what of it becomes a letter.
//!
//! Connections are osl's, counted as sockets of the actor and cut with the grant; hyper reads and writes them on the
//! thread of all IO, where no guest runs. The actor decides what it begins, and when.

mod admission;
mod bodies;
mod bounds;
mod framing;
mod heads;
mod pace;
mod talk;
mod term;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use airssys_osl::{Listener, NetError};
use airssys_rt::ActorId;
use http::StatusCode;
use tokio::io::Interest;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

pub(crate) use self::bodies::Counted;
pub(crate) use self::bounds::EXCHANGES_MAX;
use super::hub::Hub;
use super::network::watched;
use super::race::race;
use super::state::{Grounds, Ports, Refusals};
use crate::types::error::{Code, Error, Result};

/// The function that is named where a listener is refused.
const FUNCTION: &str = "wasi:http/incoming-handler#handle";

/// Where an actor serves, over all its lives.
pub(crate) struct Site {
    asked: SocketAddr,
    /// And by which life: the one before may end after it has begun.
    bound: Mutex<Option<(u64, SocketAddr)>>,
}

impl Site {
    /// Of this text: an address with a port, and no name, which could lead anywhere.
    pub(crate) fn parse(text: &str) -> Result<Arc<Self>> {
        let asked = text.parse().map_err(|_| {
            Error::argument("http_listen", format!("{text:?} is no address with a port, as 127.0.0.1:8080"))
        })?;
        Ok(Arc::new(Self { asked, bound: Mutex::default() }))
    }

    /// Where it listens now.
    pub(crate) fn bound(&self) -> Option<SocketAddr> {
        self.lock().map(|(_, bound)| bound)
    }

    fn enter(&self, life: u64, bound: SocketAddr) {
        *self.lock() = Some((life, bound));
    }

    fn leave(&self, life: u64) {
        self.lock().take_if(|(bound, _)| *bound == life);
    }

    fn lock(&self) -> MutexGuard<'_, Option<(u64, SocketAddr)>> {
        // It is changed in one step.
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What all connections of one life share.
struct Door {
    id: ActorId,
    life: u64,
    ports: Arc<Ports>,
    refusals: Arc<Refusals>,
    site: Arc<Site>,
    local: SocketAddr,
    ending: watch::Sender<bool>,
}

/// A server as long as a life lasts; dropped, it and all its connections are cut.
pub(crate) struct Serving {
    door: Arc<Door>,
    listener: Listener,
    accepting: Option<JoinHandle<()>>,
}

impl Serving {
    /// Listens, and leaves whoever comes waiting.
    pub(crate) fn open(grounds: &Grounds, site: &Arc<Site>, life: u64) -> Result<Self> {
        let refusals = Refusals::new(grounds.grants.clone(), grounds.ports.clone());
        let listening = grounds.net.network.listen(site.asked.ip(), site.asked.port(), FUNCTION);
        let listener = listening.map_err(|error| cannot_listen(error, &refusals, site.asked))?;
        let (local, ending) = (listener.local(), watch::Sender::new(false));
        site.enter(life, local);
        let (id, ports, site) = (grounds.id.clone(), grounds.ports.clone(), site.clone());
        let door = Arc::new(Door { id, life, ports, refusals, site, local, ending });
        Ok(Self { door, listener, accepting: None })
    }

    /// Takes connections from now on.
    pub(crate) fn begin(&mut self) {
        let (listener, door) = (self.listener.clone(), self.door.clone());
        self.accepting = Some(tokio::spawn(accept(listener, door)));
    }

    /// Takes no more connections, and of those there are no more requests.
    pub(crate) fn close(&self) {
        self.door.ending.send_replace(true);
        self.listener.close();
        self.door.site.leave(self.door.life);
    }

    /// Waits until the connections have ended, once it was closed.
    pub(crate) async fn ended(&mut self) {
        if let Some(accepting) = &mut self.accepting {
            let _ = accepting.await;
        }
        self.accepting = None;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.close();
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

/// Takes connections until the server ends or its grant does.
async fn accept(listener: Listener, door: Arc<Door>) {
    let mut connections = JoinSet::new();
    let mut ending = door.ending.subscribe();
    let ready = listener.ready_fd().map_err(|error| door.refusals.note_of(&error));
    let Some(ready) = ready.ok().and_then(|fd| watched(&fd).ok()) else { return door.site.leave(door.life) };
    while !*ending.borrow() {
        while connections.try_join_next().is_some() {}
        let mut accepted = None;
        let _ = ready.try_io(Interest::READABLE, || {
            accepted = listener.try_accept().transpose();
            if accepted.is_some() { Ok(()) } else { Err(std::io::ErrorKind::WouldBlock.into()) }
        });
        match accepted {
            Some(Ok(stream)) => drop(connections.spawn(talk::converse(stream, door.clone()))),
            Some(Err(error @ NetError::Denied(_))) => {
                door.refusals.note_of(&error);
                // What the grant let in ends with it, also where it waits for something else than its peer.
                connections.abort_all();
                break;
            }
            // As many as may be open are, here or in the whole process: those that wait do so in the system's queue.
            Some(Err(_)) => {
                let _ = race(over(&mut ending), sleep(bounds::AGAIN)).await;
            }
            None => drop(race(over(&mut ending), ready.readable()).await),
        }
    }
    door.site.leave(door.life);
    drop((ready, listener));
    while connections.join_next().await.is_some() {}
}

/// Waits until the server ends.
async fn over(ending: &mut watch::Receiver<bool>) {
    // Whoever could end it keeps it.
    let _ = ending.wait_for(|ending| *ending).await;
}

/// Tells that an exchange failed; `status` is what its peer is told, unless it was answered before.
pub(crate) fn tell_failed(hub: &Hub, actor: &ActorId, error: &Error, status: Option<StatusCode>) {
    hub.tell("http.failed", Some(actor.as_str()), || {
        let mut facts = error.to_event_detail();
        if let Some(status) = status {
            facts.insert("status".to_owned(), status.as_u16().into());
        }
        facts
    });
}

/// Why an actor that should serve cannot.
fn cannot_listen(error: NetError, refusals: &Refusals, asked: SocketAddr) -> Error {
    match error {
        NetError::Denied(denial) => {
            refusals.note(&denial);
            Error::from(denial)
        }
        NetError::Io(why) => Error::new(Code::Io, format!("{asked}: {why}"))
            .with("errno", why.raw_os_error().unwrap_or_default()),
        error => Error::new(Code::LimitExceeded, format!("{asked}: {error}")).with("which", "sockets"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_that_ends_late_does_not_unsay_where_the_next_one_listens() {
        let site = Site::parse("127.0.0.1:0").expect("an address");
        let bound = SocketAddr::from(([127, 0, 0, 1], 8_080));
        site.enter(1, bound);
        site.enter(2, bound);
        site.leave(1);
        assert_eq!(site.bound(), Some(bound));
        site.leave(2);
        assert_eq!(site.bound(), None);
    }
}
