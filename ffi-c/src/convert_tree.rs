//! Trees of C structs as the facade's specs.

use std::collections::HashSet;

use airwasm::{
    AutoShutdown, Backoff, ChildSpec, Error, GiveUp, HostExecutor, Result, Strategy, SupervisorSpec,
};

use crate::actor::host_handler;
use crate::constants::{
    AIRWASM_AUTO_SHUTDOWN_ALL_SIGNIFICANT, AIRWASM_AUTO_SHUTDOWN_ANY_SIGNIFICANT,
    AIRWASM_AUTO_SHUTDOWN_NEVER, AIRWASM_GIVE_UP_ESCALATE, AIRWASM_GIVE_UP_IGNORE, AIRWASM_GIVE_UP_RESTART,
    AIRWASM_ONE_FOR_ALL, AIRWASM_ONE_FOR_ONE, AIRWASM_REST_FOR_ONE, AIRWASM_ZERO,
};
use crate::convert::{actor_spec, restart, small_count, time, time_or_zero, word};
use crate::raw;
use crate::types::{airwasm_backoff, airwasm_child, airwasm_handler, airwasm_supervisor_spec};

/// Deeper than the core takes: what lies below is left unread, so that a stack is never too small.
const DEPTH_MAX: usize = 256;

/// The spec of a supervisor and of all below it. Whether it is an error or not, each handler that could be reached is
/// taken over.
pub(crate) fn supervisor_spec(spec: *const airwasm_supervisor_spec) -> Result<SupervisorSpec> {
    Walk::default().supervisor(spec, "spec", 0)
}

/// The same for one child.
pub(crate) fn child_spec(child: *const airwasm_child) -> Result<ChildSpec> {
    Walk::default().child(child, "child", 0)
}

/// One walk over a tree of a C program.
#[derive(Default)]
struct Walk {
    /// Children whose handler was taken over, or below which the walk was: by these a circle closes.
    taken: HashSet<*const airwasm_child>,
}

impl Walk {
    fn supervisor(
        &mut self,
        spec: *const airwasm_supervisor_spec,
        which: &str,
        depth: usize,
    ) -> Result<SupervisorSpec> {
        let spec = raw::sized(spec, which)?;
        let children = self.children(&spec, depth);
        let backoff = raw::optional_sized(spec.backoff, "backoff")?;
        Ok(SupervisorSpec {
            name: raw::text(spec.name, "name")?,
            strategy: strategy(spec.strategy)?,
            intensity: small_count(spec.intensity),
            period: time(spec.period_ms),
            backoff: backoff.map_or(Backoff::default(), convert_backoff),
            give_up: give_up(spec.give_up)?,
            auto_shutdown: auto_shutdown(spec.auto_shutdown)?,
            restart: restart(spec.restart)?,
            children: children?,
        })
    }

    /// All children, past one that is wrong: the handlers of those after it are taken over too.
    fn children(&mut self, spec: &airwasm_supervisor_spec, depth: usize) -> Result<Vec<ChildSpec>> {
        if depth >= DEPTH_MAX {
            return Ok(Vec::new());
        }
        let children = raw::pointers(spec.children, spec.children_len, "children")?.into_iter().enumerate();
        let children: Vec<_> =
            children.map(|(at, child)| self.child(child, &format!("children[{at}]"), depth)).collect();
        children.into_iter().collect()
    }

    fn child(&mut self, child: *const airwasm_child, which: &str, depth: usize) -> Result<ChildSpec> {
        let given = raw::sized(child, which)?;
        let airwasm_handler { call, context, free } = given.handler;
        let handles = call.is_some() || free.is_some() || !context.is_null();
        if (handles || !given.supervisor.is_null()) && !self.taken.insert(child) {
            let why = "it has a handler or a supervisor and stands twice, or is below itself";
            return Err(Error::argument(which, why));
        }
        let handler = handles.then(|| raw::Handler::from(given.handler));
        let below = (!given.supervisor.is_null())
            .then(|| self.supervisor(given.supervisor, &format!("{which}.supervisor"), depth + 1));
        match (below, handler) {
            (Some(_), _) if !given.actor.is_null() => {
                Err(Error::argument(which, "both actor and supervisor are set"))
            }
            (Some(_), Some(_)) => Err(Error::argument(which, "a supervisor has no handler")),
            (Some(below), None) => Ok(ChildSpec::Supervisor(below?)),
            (None, Some(handler)) => {
                let handler = host_handler(handler.check("handler")?);
                Ok(ChildSpec::Host(actor_spec(given.actor)?, HostExecutor::Callback, handler))
            }
            (None, None) => Ok(ChildSpec::Guest(actor_spec(given.actor)?)),
        }
    }
}

fn convert_backoff(given: airwasm_backoff) -> Backoff {
    let number = |given: f64| (given != 0.0).then_some(given);
    let none = |given: f64| if given == AIRWASM_ZERO as f64 { 0.0 } else { given };
    Backoff {
        initial: time_or_zero(given.initial_ms),
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
