use std::collections::{BTreeMap, HashMap};
use std::task::Waker;

use super::Whose;

/// Who has how many of one resource, and who waits for it: pure, but that it keeps wakers.
///
/// An actor has a turn while somebody of it waits and it has room of its own. While the system has room nobody has a turn:
/// each change hands out what it can. So whoever asks and finds room of both kinds overtakes nobody.
pub(super) struct Book {
    max: usize,
    used: usize,
    shares: HashMap<u64, Share>,
    /// The actors that have a turn, in order.
    turns: BTreeMap<u64, u64>,
    /// Of tickets and turns, which are never given twice.
    last_number: u64,
}

struct Share {
    max: usize,
    used: usize,
    /// By ticket, so in order. What was handed to a waiter counts as used, and its ticket is gone from here.
    waiting: BTreeMap<u64, Waker>,
    turn: Option<u64>,
}

/// What came of asking for one.
pub(super) enum Place {
    Taken,
    Waits(u64),
    /// The limit is zero.
    Never(Whose),
    /// Too many wait.
    NoRoom,
}

impl Book {
    pub fn new(max: usize) -> Self {
        Self { max, used: 0, shares: HashMap::new(), turns: BTreeMap::new(), last_number: 0 }
    }

    pub fn enter(&mut self, actor: u64, max: usize) {
        self.shares.insert(actor, Share { max, used: 0, waiting: BTreeMap::new(), turn: None });
    }

    /// Forgets an actor that has nothing and waits for nothing.
    pub fn leave(&mut self, actor: u64) {
        let share = self.shares.remove(&actor);
        debug_assert!(share.is_none_or(|share| share.used == 0 && share.waiting.is_empty()));
    }

    /// Takes one now, or says whose limit is reached and what that is.
    pub fn take(&mut self, actor: u64) -> Result<(), (Whose, usize)> {
        let (system_full, max) = (self.used >= self.max, self.max);
        let share = self.share(actor);
        if share.used >= share.max {
            return Err((Whose::Actor, share.max));
        }
        if system_full {
            return Err((Whose::System, max));
        }
        share.used += 1;
        self.used += 1;
        Ok(())
    }

    /// Takes one now, or a place behind all others of the actor.
    /// The waker is taken only with the place, so that none is dropped in here.
    pub fn enqueue(&mut self, actor: u64, waker: &mut Option<Waker>, waiting_max: usize) -> Place {
        let Err((whose, allowed)) = self.take(actor) else { return Place::Taken };
        if allowed == 0 {
            return Place::Never(whose);
        }
        let ticket = self.number();
        let share = self.share(actor);
        if share.waiting.len() >= waiting_max {
            return Place::NoRoom;
        }
        share.waiting.extend(waker.take().map(|waker| (ticket, waker)));
        self.settle(actor);
        Place::Waits(ticket)
    }

    /// Whether the ticket still waits, which from now on wakes by this waker; otherwise one was handed to it.
    pub fn swap_waker(&mut self, actor: u64, ticket: u64, waker: &mut Waker) -> bool {
        let kept = self.share(actor).waiting.get_mut(&ticket);
        kept.map(|kept| std::mem::swap(kept, waker)).is_some()
    }

    /// Takes back the place of a ticket, or what was handed to it; its waker, and those to wake.
    pub fn give_up(&mut self, actor: u64, ticket: u64) -> (Option<Waker>, Vec<Waker>) {
        match self.share(actor).waiting.remove(&ticket) {
            Some(waker) => {
                self.settle(actor);
                (Some(waker), Vec::new())
            }
            None => (None, self.give_back(actor)),
        }
    }

    /// Takes one back, and hands out what that makes free; who is to be woken.
    pub fn give_back(&mut self, actor: u64) -> Vec<Waker> {
        self.share(actor).used -= 1;
        self.used -= 1;
        self.settle(actor);
        self.hand_out()
    }

    pub fn limit(&mut self, max: usize) -> Vec<Waker> {
        self.max = max;
        self.hand_out()
    }

    pub fn limit_actor(&mut self, actor: u64, max: usize) -> Vec<Waker> {
        self.share(actor).max = max;
        self.settle(actor);
        self.hand_out()
    }

    pub fn used(&self) -> usize {
        self.used
    }

    pub fn used_by(&self, actor: u64) -> usize {
        self.shares.get(&actor).map_or(0, |share| share.used)
    }

    pub fn waiting(&self) -> usize {
        self.shares.values().map(|share| share.waiting.len()).sum()
    }

    /// Gives an actor its turn at the end of the round, or takes it, as it has a right to one now.
    fn settle(&mut self, actor: u64) {
        let next = self.number();
        let share = self.share(actor);
        let entitled = !share.waiting.is_empty() && share.used < share.max;
        match share.turn {
            None if entitled => {
                share.turn = Some(next);
                self.turns.insert(next, actor);
            }
            Some(turn) if !entitled => {
                share.turn = None;
                self.turns.remove(&turn);
            }
            _ => {}
        }
    }

    fn hand_out(&mut self) -> Vec<Waker> {
        let mut woken = Vec::new();
        while self.used < self.max {
            let Some((_, actor)) = self.turns.pop_first() else { break };
            let share = self.share(actor);
            share.turn = None;
            let (_, waker) = share.waiting.pop_first().expect("an actor with a turn has somebody waiting");
            share.used += 1;
            self.used += 1;
            woken.push(waker);
            self.settle(actor);
        }
        woken
    }

    fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn share(&mut self, actor: u64) -> &mut Share {
        self.shares.get_mut(&actor).expect("an actor has a share until nobody holds its resources")
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
