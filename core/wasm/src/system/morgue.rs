//! Letters that were still queued when their actors ended, kept for who wants to see them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, json};

use crate::host::hub::Hub;
use crate::types::letter::Letter;
use crate::types::supervisor::DeadLetter;

const LETTERS_MAX: usize = 1_024;
const BYTES_MAX: usize = 4 << 20;

/// The last dead letters; the oldest make room.
#[derive(Default)]
pub(super) struct Morgue(Mutex<(VecDeque<DeadLetter>, usize)>);

impl Morgue {
    /// Keeps a letter, and tells the event.
    pub(super) fn keep(&self, hub: &Hub, dead: &airssys_rt::DeadLetter<'_, Letter>) {
        let Letter { sender, payload, content_type, .. } = dead.message;
        let sender = sender.as_ref().map(ToString::to_string).unwrap_or_default();
        hub.tell("message.dead_letter", Some(dead.id.as_str()), || {
            let mut facts = Map::new();
            facts.insert("sender".to_owned(), json!(sender));
            facts.insert("bytes".to_owned(), json!(payload.len()));
            facts.insert("reason".to_owned(), json!(dead.exit.to_string()));
            facts
        });
        let letter = DeadLetter {
            to: dead.id.to_string(),
            sender,
            payload: payload.clone(),
            content_type: content_type.as_ref().map(ToString::to_string),
            reason: dead.exit.to_string(),
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1 += letter.payload.len();
        kept.0.push_back(letter);
        while kept.0.len() > LETTERS_MAX || kept.1 > BYTES_MAX {
            let Some(oldest) = kept.0.pop_front() else { break };
            kept.1 -= oldest.payload.len();
        }
    }

    /// Takes all.
    pub(super) fn take(&self) -> Vec<DeadLetter> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1 = 0;
        std::mem::take(&mut kept.0).into()
    }
}

/// Lets the runtime bring its dead letters here.
pub(super) fn reader(
    morgue: Arc<Morgue>,
    hub: Arc<Hub>,
) -> impl Fn(airssys_rt::DeadLetter<'_, Letter>) + Send + Sync {
    move |dead| morgue.keep(&hub, &dead)
}
