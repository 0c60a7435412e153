//! Requests that wait, for the actor or for their turn: what becomes of them when whoever could want an answer is gone.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use airwasm::{Operation, Restart};

use super::*;

/// Exchanges of one actor that run at once.
const EXCHANGES_MAX: usize = 16;

/// A server, an actor that answers when it is let go, and one that hears what has run.
struct Hall {
    world: World,
    asked: Receiver<()>,
    let_go: Sender<()>,
    ran: Receiver<String>,
    witness: ActorHandle,
}

impl Hall {
    /// Its second failure ends the server's life.
    fn new() -> Self {
        let world = World::with(|spec| {
            let spec = spec.grant("message.request gate").grant("message.send witness");
            ActorSpec { errors_max: Some(1), error_period: Some(LONG), ..spec.restart(Restart::Permanent) }
        });
        let ((asks, asked), (let_go, gate), (tells, ran)) = (channel(), channel(), channel());
        let (gate, tells) = (Mutex::new(gate), Mutex::new(tells));
        let answer = move |_| {
            let _ = asks.send(());
            // Open for good when the other end is gone.
            let _ = gate.lock().expect("no panic").recv();
            Ok(b"let go".to_vec())
        };
        world.system.spawn_host(ActorSpec::host("gate"), Box::new(answer)).expect("starts");
        let hear = move |message: airwasm::Message| {
            let text = String::from_utf8(message.payload).expect("text");
            tells.lock().expect("no panic").send(text).expect("heard");
            Ok(Vec::new())
        };
        let witness = world.system.spawn_host(ActorSpec::host("witness"), Box::new(hear)).expect("starts");
        Self { world, asked, let_go, ran, witness }
    }

    /// The server works on a message until it is let go, and this is asked of it meanwhile. The message is not given up.
    fn waits_behind_a_message(&self, target: &str) -> (Peer, Operation<Vec<u8>>) {
        let options = RequestOptions { timeout: Some(LONG), ..RequestOptions::default() };
        let message = self.world.system.request_async(self.world.actor, b"ask gate", &options);
        self.asked.recv().expect("it asks");
        let mut peer = self.world.connect();
        peer.begin(target);
        until(|| self.world.system.status(self.world.actor).expect("a status").mailbox_messages > 0);
        (peer, message)
    }

    /// Connections that are open under the grant, and the listener.
    fn open(&self) -> u64 {
        let grants = self.world.system.grants(self.world.actor).expect("lives");
        grants.iter().filter(|grant| grant.capability.starts_with("net.listen")).map(|grant| grant.open).sum()
    }

    /// Hangs up, and returns when the host has seen it.
    fn hang_up(&self, peer: Peer) {
        let before = self.open();
        drop(peer);
        until(|| self.open() < before);
        // The thread that has closed it has also told that it is left, before it answers this.
        let mut other = self.world.connect();
        other.send("GET nowhere HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(other.response().0, 400);
    }

    /// Asserts that no exchange has told the witness anything and none has failed, when all have ended.
    #[track_caller]
    fn nothing_ran(self) {
        let Self { world, ran, witness, .. } = self;
        assert_eq!(world.told("it goes on"), "it goes on");
        assert_eq!(world.system.status(world.actor).expect("a status").restarts, 0);
        // It waits for all that are open.
        world.system.stop(world.actor, Some(LONG)).expect("stops");
        world.system.send(witness, b"all have ended", &airwasm::SendOptions::default()).expect("sent");
        assert_eq!(ran.recv().expect("told"), "all have ended");
        world.system.close(None).expect("closes");
        let failed: Vec<_> = world.events.filter(|event| event.kind == "http.failed").collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    /// One failure that counts: the next that does would be seen.
    fn fail_once(&self) {
        assert_eq!(self.world.get("/trap").0, 500);
        self.world.event("http.failed");
    }
}

#[test]
fn the_witness_hears_what_runs_and_the_second_failure_ends_the_life() {
    let hall = Hall::new();
    hall.fail_once();
    let (mut peer, _message) = hall.waits_behind_a_message("/tell/witness");
    hall.let_go.send(()).expect("it waits");
    assert_eq!(peer.response().2, "told");
    assert_eq!(hall.ran.recv().expect("told"), "here");
    hall.fail_once();
    hall.world.event("actor.restarted");
}

#[test]
fn hostile_d18_what_waits_in_the_mailbox_when_the_grant_is_revoked_never_runs() {
    let hall = Hall::new();
    hall.fail_once();
    let (mut peer, _message) = hall.waits_behind_a_message("/tell/witness");
    assert!(hall.world.system.revoke(hall.world.grant()).expect("was granted") >= 2);
    hall.let_go.send(()).expect("it waits");
    peer.ended();
    hall.nothing_ran();
}

#[test]
fn a_peer_that_hangs_up_while_its_request_waits_in_the_mailbox_is_no_error_and_nothing_runs_for_it() {
    let hall = Hall::new();
    hall.fail_once();
    let (peer, _message) = hall.waits_behind_a_message("/tell/witness");
    hall.hang_up(peer);
    hall.let_go.send(()).expect("it waits");
    hall.nothing_ran();
}

#[test]
fn a_peer_that_hangs_up_while_its_request_waits_for_a_turn_is_no_error_and_nothing_runs_for_it() {
    let hall = Hall::new();
    hall.fail_once();
    let mut peers: Vec<_> = (0..EXCHANGES_MAX).map(|_| hall.world.connect()).collect();
    peers.iter_mut().for_each(|peer| peer.begin("/ask/gate"));
    hall.world.handled(1 + EXCHANGES_MAX as u64);
    let mut more = hall.world.connect();
    more.begin("/tell/witness");
    hall.world.handled(2 + EXCHANGES_MAX as u64);
    hall.hang_up(more);
    for _ in 0..EXCHANGES_MAX {
        hall.let_go.send(()).expect("it waits");
    }
    // That there were others before it is no error either.
    assert!(peers.iter_mut().all(|peer| peer.response().2 == "let go"));
    hall.nothing_ran();
}

#[test]
fn an_exchange_that_fails_while_the_actor_stops_is_told_and_the_stop_is_in_order() {
    let hall = Hall::new();
    let mut peer = hall.world.connect();
    peer.begin("/fall/gate");
    hall.asked.recv().expect("it asks");
    let stopping = hall.world.system.stop_async(hall.world.actor, Some(LONG));
    until(|| hall.world.listening().is_none());
    hall.let_go.send(()).expect("it waits");
    assert_eq!(peer.response().0, 500);
    peer.ended();
    stopping.wait().expect("stops");
    assert_eq!(hall.world.event("http.failed").detail["code"], "TRAPPED");
    let status = hall.world.system.status(hall.world.actor).expect("a status");
    assert_eq!((status.state.as_str(), status.last_exit.as_deref()), ("stopped", Some("shutdown")));
}
