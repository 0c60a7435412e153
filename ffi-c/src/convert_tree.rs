//! Trees of C structs as the facade's specs.

use std::collections::{HashMap, HashSet};

use airwasm::{
    AutoShutdown, Backoff, ChildSpec, Error, GiveUp, HostExecutor, Result, Strategy, SupervisorSpec,
};

use crate::actor::host_handler;
use crate::constants::{
    AIRWASM_AUTO_SHUTDOWN_ALL_SIGNIFICANT, AIRWASM_AUTO_SHUTDOWN_ANY_SIGNIFICANT,
    AIRWASM_AUTO_SHUTDOWN_NEVER, AIRWASM_GIVE_UP_ESCALATE, AIRWASM_GIVE_UP_IGNORE, AIRWASM_GIVE_UP_RESTART,
    AIRWASM_ONE_FOR_ALL, AIRWASM_ONE_FOR_ONE, AIRWASM_REST_FOR_ONE, AIRWASM_ZERO,
};
use crate::convert::{actor_spec, count_or_zero, restart, time, word};
use crate::raw;
use crate::types::{airwasm_backoff, airwasm_child, airwasm_handler, airwasm_supervisor_spec};

/// Deeper than the core takes: below it only the handlers are taken over, so that no stack is too small to drop a spec.
const DEPTH_MAX: usize = 64;

/// The spec of a supervisor and of all below it. Whether it is an error or not, each handler that could be reached is
/// taken over.
pub(crate) fn supervisor_spec(spec: *const airwasm_supervisor_spec) -> Result<SupervisorSpec> {
    let mut walk = Walk::default();
    let top = walk.find(spec, "spec".to_owned(), 0);
    walk.made().take(top)
}

/// The same for one child.
pub(crate) fn child_spec(child: *const airwasm_child) -> Result<ChildSpec> {
    let mut walk = Walk::default();
    let top = walk.child(child, "child".to_owned(), 0);
    let mut made = walk.made();
    made.child(top?)
}

/// One walk over a tree of a C program, which may be deeper than a stack: it goes along a list of what it found.
#[derive(Default)]
struct Walk {
    /// Children whose handler was taken over, or below which the walk was: by these a circle closes.
    taken: HashSet<*const airwasm_child>,
    /// The supervisors found so far, each after the one that it is below.
    supervisors: Vec<Supervisor>,
}

#[derive(Clone)]
struct Supervisor {
    spec: *const airwasm_supervisor_spec,
    which: String,
    depth: usize,
}

/// A child that was read: one with nothing below it, or the number of a supervisor.
enum Found {
    Leaf(Box<ChildSpec>),
    Below(usize),
}

impl Walk {
    fn find(&mut self, spec: *const airwasm_supervisor_spec, which: String, depth: usize) -> usize {
        self.supervisors.push(Supervisor { spec, which, depth });
        self.supervisors.len() - 1
    }

    /// Reads all below what was found, then puts it together from the bottom.
    fn made(mut self) -> Made {
        let mut read = Vec::new();
        while let Some(next) = self.supervisors.get(read.len()).cloned() {
            read.push(self.supervisor(next));
        }
        let mut made = Made::default();
        while let Some(next) = read.pop() {
            let spec = next.and_then(|(spec, children)| {
                let children = children.into_iter().map(|child| made.child(child));
                Ok(SupervisorSpec { children: children.collect::<Result<_>>()?, ..spec })
            });
            made.0.insert(read.len(), spec);
        }
        made
    }

    /// One supervisor, its children apart.
    fn supervisor(&mut self, of: Supervisor) -> Result<(SupervisorSpec, Vec<Found>)> {
        let spec = raw::sized(of.spec, &of.which)?;
        let children = self.children(&spec, of.depth);
        let backoff = raw::optional_sized(spec.backoff, "backoff")?;
        let read = SupervisorSpec {
            name: raw::text(spec.name, "name")?,
            strategy: strategy(spec.strategy)?,
            intensity: count_or_zero(spec.intensity),
            period: time(spec.period_ms),
            backoff: backoff.map_or(Backoff::default(), convert_backoff),
            give_up: give_up(spec.give_up)?,
            auto_shutdown: auto_shutdown(spec.auto_shutdown)?,
            restart: restart(spec.restart)?,
            children: Vec::new(),
        };
        Ok((read, if of.depth < DEPTH_MAX { children? } else { Vec::new() }))
    }

    /// All children, past one that is wrong: the handlers of those after it are taken over too.
    fn children(&mut self, spec: &airwasm_supervisor_spec, depth: usize) -> Result<Vec<Found>> {
        let children = raw::pointers(spec.children, spec.children_len, "children")?.into_iter().enumerate();
        let children: Vec<_> =
            children.map(|(at, child)| self.child(child, format!("children[{at}]"), depth)).collect();
        children.into_iter().collect()
    }

    fn child(&mut self, child: *const airwasm_child, which: String, depth: usize) -> Result<Found> {
        let given = raw::sized(child, &which)?;
        let airwasm_handler { call, context, free } = given.handler;
        let handles = call.is_some() || free.is_some() || !context.is_null();
        if (handles || !given.supervisor.is_null()) && !self.taken.insert(child) {
            let why = "it has a handler or a supervisor and stands twice, or is below itself";
            return Err(Error::argument(&which, why));
        }
        let handler = handles.then(|| raw::Handler::from(given.handler));
        let below = (!given.supervisor.is_null())
            .then(|| self.find(given.supervisor, format!("{which}.supervisor"), depth + 1));
        match (below, handler) {
            (Some(_), _) if !given.actor.is_null() => {
                Err(Error::argument(&which, "both actor and supervisor are set"))
            }
            (Some(_), Some(_)) => Err(Error::argument(&which, "a supervisor has no handler")),
            (Some(below), None) => Ok(Found::Below(below)),
            (None, Some(handler)) => {
                let handler = host_handler(handler.check("handler")?);
                let child = ChildSpec::Host(actor_spec(given.actor)?, HostExecutor::Callback, handler);
                Ok(Found::Leaf(Box::new(child)))
            }
            (None, None) => Ok(Found::Leaf(Box::new(ChildSpec::Guest(actor_spec(given.actor)?)))),
        }
    }
}

/// Supervisors that were put together, by their numbers.
#[derive(Default)]
struct Made(HashMap<usize, Result<SupervisorSpec>>);

impl Made {
    fn take(&mut self, number: usize) -> Result<SupervisorSpec> {
        self.0.remove(&number).expect("each is made, and asked for once")
    }

    fn child(&mut self, child: Found) -> Result<ChildSpec> {
        match child {
            Found::Leaf(child) => Ok(*child),
            Found::Below(number) => self.take(number).map(ChildSpec::Supervisor),
        }
    }
}

fn convert_backoff(given: airwasm_backoff) -> Backoff {
    let number = |given: f64| (given != 0.0).then_some(given);
    let none = |given: f64| if given == AIRWASM_ZERO as f64 { 0.0 } else { given };
    Backoff {
        initial: time(given.initial_ms),
        max: time(given.max_ms),
        factor: number(given.factor),
        jitter: number(given.jitter).map(none),
    }
}

fn strategy(given: u32) -> Result<Option<Strategy>> {
    let words = [
        (AIRWASM_ONE_FOR_ONE, Strategy::OneForOne),
        (AIRWASM_ONE_FOR_ALL, Strategy::OneForAll),
        (AIRWASM_REST_FOR_ONE, Strategy::RestForOne),
    ];
    word(given, "strategy", &words)
}

fn give_up(given: u32) -> Result<Option<GiveUp>> {
    let words = [
        (AIRWASM_GIVE_UP_ESCALATE, GiveUp::Escalate),
        (AIRWASM_GIVE_UP_RESTART, GiveUp::Restart),
        (AIRWASM_GIVE_UP_IGNORE, GiveUp::Ignore),
    ];
    word(given, "give_up", &words)
}

fn auto_shutdown(given: u32) -> Result<Option<AutoShutdown>> {
    let words = [
        (AIRWASM_AUTO_SHUTDOWN_NEVER, AutoShutdown::Never),
        (AIRWASM_AUTO_SHUTDOWN_ANY_SIGNIFICANT, AutoShutdown::AnySignificant),
        (AIRWASM_AUTO_SHUTDOWN_ALL_SIGNIFICANT, AutoShutdown::AllSignificant),
    ];
    word(given, "auto_shutdown", &words)
}
