//! A supervisor told line by line, its outputs as one line of text: what the tests compare.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{
    Backoff, ChildKey, ChildRules, ChildState, Fate, Input, Intensity, Machine, Output, Restart, Rules,
    Ticket, Token,
};
use crate::exit::Exit;

pub(super) const ALWAYS: ChildRules =
    ChildRules { restart: Restart::Permanent, significant: false, dynamic: false };
pub(super) const ON_CRASH: ChildRules = ChildRules { restart: Restart::Transient, ..ALWAYS };
pub(super) const NEVER: ChildRules = ChildRules { restart: Restart::Temporary, ..ALWAYS };

/// Two restarts an hour without a wait, as most of OTP's cases have it.
pub(super) fn rules() -> Rules {
    let intensity = Intensity { restarts_max: 2, period: Duration::from_secs(3_600) };
    Rules { intensity, backoff: Backoff::immediate(), ..Rules::default() }
}

pub(super) fn with(restarts_max: u32) -> Rules {
    Rules { intensity: Intensity { restarts_max, period: Duration::from_secs(3_600) }, ..rules() }
}

pub(super) fn crash() -> Exit {
    Exit::Crash(Arc::new(crate::error::Error::NoReply))
}

pub(super) struct Script {
    pub(super) machine: Machine,
    pub(super) now: Instant,
    pub(super) tokens: Vec<Token>,
    tickets: u64,
}

impl Script {
    /// A supervisor with static children 1, 2, and so on, not begun.
    pub(super) fn new(rules: Rules, children: &[ChildRules]) -> Self {
        let mut machine = Machine::new(rules).expect("the rules are valid");
        for (key, rules) in (1..).zip(children) {
            machine.add_static(ChildKey(key), *rules).expect("the child is valid");
        }
        Self { machine, now: Instant::now(), tokens: Vec::new(), tickets: 0 }
    }

    /// The same, and all of them up.
    pub(super) fn up(rules: Rules, children: &[ChildRules]) -> Self {
        let mut script = Self::new(rules, children);
        script.tell(Input::Begin);
        for (key, _) in (1..).zip(children) {
            script.started(key);
        }
        script
    }

    pub(super) fn tell(&mut self, input: Input) -> String {
        let mut outputs = Vec::new();
        self.machine.step(input, self.now, 0.0, &mut outputs);
        self.tokens.extend(outputs.iter().filter_map(|output| match output {
            Output::Wait(token, _) => Some(*token),
            _ => None,
        }));
        outputs.iter().map(text).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn later(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    pub(super) fn started(&mut self, key: u64) -> String {
        self.tell(Input::Started(ChildKey(key)))
    }

    pub(super) fn failed(&mut self, key: u64) -> String {
        self.tell(Input::Failed(ChildKey(key), crash()))
    }

    pub(super) fn exited(&mut self, key: u64, exit: Exit) -> String {
        self.tell(Input::Exited(ChildKey(key), exit))
    }

    pub(super) fn crashed(&mut self, key: u64) -> String {
        self.exited(key, crash())
    }

    /// It did as it was told.
    pub(super) fn ended(&mut self, key: u64) -> String {
        self.exited(key, Exit::Shutdown)
    }

    pub(super) fn stop(&mut self) -> String {
        self.tell(Input::Stop(Exit::Shutdown))
    }

    /// The last wait is over.
    pub(super) fn due(&mut self) -> String {
        let token = *self.tokens.last().expect("a wait was asked for");
        self.tell(Input::Due(token))
    }

    /// Answers what it was told to do, and what follows from the answers: children end and start as they
    /// should, but this one does not answer its start. What it said after the last answer is returned.
    pub(super) fn obey(&mut self, told: String, silent: u64) -> String {
        let mut last = told.clone();
        let mut left: Vec<String> = told.split(", ").map(str::to_owned).collect();
        while let Some(said) = left.pop() {
            let key = |text: &str| text.parse::<u64>().expect("a key");
            last = match said.split_once(' ') {
                Some(("end", rest)) => self.ended(key(rest)),
                Some(("begin", rest)) if key(rest) != silent => self.started(key(rest)),
                _ => continue,
            };
            left.extend(last.split(", ").map(str::to_owned));
        }
        last
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    pub(super) fn add(&mut self, key: u64, rules: ChildRules) -> String {
        let ticket = self.ticket();
        self.tell(Input::Add(ticket, ChildKey(key), rules))
    }

    pub(super) fn terminate(&mut self, key: u64) -> String {
        let ticket = self.ticket();
        self.tell(Input::Terminate(ticket, ChildKey(key)))
    }

    pub(super) fn restart(&mut self, key: u64) -> String {
        let ticket = self.ticket();
        self.tell(Input::Restart(ticket, ChildKey(key)))
    }

    pub(super) fn delete(&mut self, key: u64) -> String {
        let ticket = self.ticket();
        self.tell(Input::Delete(ticket, ChildKey(key)))
    }

    /// `1 up, 2 down, …`: OTP's `which_children` in the order of starts.
    pub(super) fn children(&self) -> String {
        let word = |state| match state {
            ChildState::Down => "down",
            ChildState::Restarting => "restarting",
            ChildState::Starting => "starting",
            ChildState::Up => "up",
            ChildState::Ending => "ending",
        };
        let children = self.machine.children().map(|(key, _, state)| format!("{} {}", key.0, word(state)));
        children.collect::<Vec<_>>().join(", ")
    }

    /// Specs and active ones.
    pub(super) fn counts(&self) -> [usize; 2] {
        let counts = self.machine.counts();
        [counts.specs, counts.active]
    }
}

fn exit_text(exit: &Exit) -> &'static str {
    match exit {
        Exit::Normal => "normal",
        Exit::Shutdown => "shutdown",
        Exit::Killed => "killed",
        Exit::Crash(_) => "crash",
    }
}

/// One output in a few words.
pub(super) fn text(output: &Output) -> String {
    match output {
        Output::Begin(key) => format!("begin {}", key.0),
        Output::End(key) => format!("end {}", key.0),
        Output::Settle(key, Fate::Again { after }) if after.is_zero() => format!("{} again", key.0),
        Output::Settle(key, Fate::Again { after }) => format!("{} again in {} ms", key.0, after.as_millis()),
        Output::Settle(key, Fate::Kept(exit)) => format!("{} kept {}", key.0, exit_text(exit)),
        Output::Settle(key, Fate::Gone(exit)) => format!("{} gone {}", key.0, exit_text(exit)),
        Output::Wait(token, after) => format!("wait {} ms for {}", after.as_millis(), token.child.0),
        Output::Up => "up".to_owned(),
        Output::GaveUp { child, restarts, exit } => {
            format!("gave up {} after {restarts}: {}", child.0, exit_text(exit))
        }
        Output::Done(_, Ok(())) => "done".to_owned(),
        Output::Done(_, Err(refusal)) => format!("refused: {refusal}"),
        Output::Down(exit) => format!("down {}", exit_text(exit)),
    }
}
