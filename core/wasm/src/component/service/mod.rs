//! Native actors that do what others ask of the operating system, each message by the rights of who sent it.

mod client;
mod files;
mod processes;
mod request;
mod running;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use airssys_osl::{Audit, CapabilitySet};
use airssys_rt::{Actor, ActorId, Child, Context, Exit, ReplyTo};
use tokio::sync::Semaphore;

use self::client::{Client, Sender};
use self::request::Request;
use crate::host::{Access, Life, Living, Ports, Refusals};
use crate::types::error::{Code, Error, Result};
use crate::types::letter::Letter;

/// Messages that one service works on at once; the next ones wait in its mailbox.
const UNDER_WAY_MAX: u32 = 16;

/// What a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trade {
    Files,
    Processes,
}

impl Trade {
    /// The name of one that is given none.
    pub(crate) const fn stem(self) -> &'static str {
        match self {
            Trade::Files => "files",
            Trade::Processes => "processes",
        }
    }
}

/// All that a life of a service is made from; the same for every life.
pub(crate) struct Charter {
    pub(crate) trade: Trade,
    pub(crate) id: ActorId,
    /// Its own, for what the host program asks of it.
    pub(crate) grants: CapabilitySet,
    pub(crate) access: Access,
    pub(crate) payload_bytes_max: u64,
    pub(crate) ports: Arc<Ports>,
    /// Where it is recorded what one asked who has gone.
    pub(crate) audit: Arc<Audit>,
}

/// One life of a service.
pub(crate) struct Service {
    post: Arc<Post>,
    slots: Arc<Semaphore>,
    // Dropped last of these: whoever works for this life then finds it over.
    _living: Living,
}

/// What those share that work for one life of a service.
struct Post {
    charter: Arc<Charter>,
    /// The number of the life.
    life: u64,
    closed: AtomicBool,
}

impl Service {
    pub(crate) fn start(charter: Arc<Charter>) -> Self {
        let Charter { id, grants, access, ports, .. } = &*charter;
        let refusals = Refusals::new(grants.clone(), ports.clone());
        let living = Living::begin(Life::new(id.clone(), access.clone(), refusals), ports);
        let post = Post { life: living.number, charter, closed: AtomicBool::new(false) };
        let slots = Arc::new(Semaphore::new(UNDER_WAY_MAX as usize));
        Self { post: Arc::new(post), slots, _living: living }
    }

    /// Ends its programs; whoever waits for one is answered.
    fn close(&self) {
        let Post { charter, life, closed } = &*self.post;
        // Said first, so that no program is kept after those that are found here.
        closed.store(true, SeqCst);
        charter.ports.programs.end_of(*life);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.close();
    }
}

impl Child for Service {
    async fn pre_stop(&mut self, _: &Exit) {
        self.close();
        // What is under way is brought to its end, as any actor ends its message.
        let _ = self.slots.acquire_many(UNDER_WAY_MAX).await;
    }
}

impl Actor for Service {
    type Message = Letter;

    async fn handle(
        &mut self,
        letter: Letter,
        context: &mut Context<'_, Letter>,
    ) -> std::result::Result<(), Exit> {
        let turn = match Sender::of(&self.post, &letter).enter() {
            Ok(turn) => turn,
            Err(error) => {
                context.reply(Err(error));
                return Ok(());
            }
        };
        let slot = self.slots.clone().acquire_owned().await.expect("the slots are never closed");
        let (post, reply) = (self.post.clone(), context.take_reply());
        // Answered from there; if it should panic, or the system ends, the duty is dropped and its caller told.
        tokio::task::spawn_blocking(move || {
            post.answer(letter, reply);
            drop((turn, slot));
        });
        Ok(())
    }
}

impl Post {
    /// Does what a letter asks, by the rights of who sent it. Blocks.
    fn answer(&self, letter: Letter, mut reply: ReplyTo<Letter>) {
        let Charter { trade, payload_bytes_max, .. } = &*self.charter;
        let answer = {
            // Who sent it may have gone while it waited for its place.
            let sender = Sender::of(self, &letter);
            let client = Client::new(self, sender, letter.correlation != 0, &reply);
            let done = Request::parse(letter.payload).and_then(|request| match trade {
                Trade::Files => files::serve(&client, request),
                Trade::Processes => processes::serve(&client, request),
            });
            let bounded = done.and_then(|answer| match answer.len() as u64 > *payload_bytes_max {
                true => Err(too_long(*payload_bytes_max)),
                false => Ok(answer),
            });
            bounded.map_err(|error| client.at(error))
        };
        reply.settle(answer);
    }

    fn is_closed(&self) -> bool {
        self.closed.load(SeqCst)
    }
}

/// The error of an answer that is longer than it may be.
fn too_long(allowed: u64) -> Error {
    let text = format!("the answer would be longer than payload_bytes_max allows, {allowed} bytes");
    Error::new(Code::PayloadTooLarge, text).with("which", "payload_bytes_max").with("allowed", allowed)
}

/// The bytes of an answer: a JSON object, and what follows it.
fn answer(facts: &serde_json::Value, body: &[&[u8]]) -> Result<Vec<u8>> {
    let mut bytes = facts.to_string().into_bytes();
    if !body.is_empty() {
        bytes.push(b'\n');
    }
    let more = body.iter().map(|part| part.len()).sum();
    bytes.try_reserve_exact(more).map_err(|_| no_memory())?;
    body.iter().for_each(|part| bytes.extend_from_slice(part));
    Ok(bytes)
}

/// The error of an answer that the host has no room for.
fn no_memory() -> Error {
    Error::new(Code::LimitExceeded, "there is no memory for the answer").with("which", "memory")
}
