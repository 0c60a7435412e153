//! `wasi:logging/logging`: lines that become `log` events with a level and a context, under the grant of stdio.

use wasmtime::component::{ComponentType, Lift, Linker};

use super::state::State;
use super::stdio::{LINE_BYTES_MAX, WRITE_BYTES_MAX};
use crate::engine::Caller;
use crate::types::event::detail;

/// What is kept of a context: a name, not data.
const CONTEXT_BYTES_MAX: usize = 256;
/// Real components import it in both ways.
const NAMES: [&str; 2] = ["wasi:logging/logging", "wasi:logging/logging@0.1.0-draft"];

/// `wasi:logging/logging.level`.
#[derive(Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "guests name them")]
enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
    #[component(name = "critical")]
    Critical,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Critical => "critical",
        }
    }
}

/// Links it by hand, because no crate has bindings of it.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    for name in NAMES {
        linker.instance(name)?.func_wrap(
            "log",
            |mut context: Caller<'_, State>, (level, about, message): (Level, String, String)| {
                context.data_mut().called().log(level, &about, &message);
                Ok(())
            },
        )?;
    }
    Ok(())
}

impl State {
    /// What is not granted is dropped, as what is printed is: WASI's function cannot refuse.
    fn log(&self, level: Level, context: &str, message: &str) {
        if self.baseline.stdio("wasi:logging/logging#log").is_err() {
            return;
        }
        let context = &context[..context.floor_char_boundary(CONTEXT_BYTES_MAX)];
        for line in lines(message) {
            self.grounds.ports.hub.tell("log", Some(self.grounds.id.as_str()), || {
                let mut facts = detail("text", line);
                facts.insert("stream".to_owned(), "log".into());
                facts.insert("level".to_owned(), level.name().into());
                facts.insert("context".to_owned(), context.into());
                facts
            });
        }
    }
}

/// The lines of a message, long ones in pieces; what is beyond the bound of a write is left out.
fn lines(message: &str) -> impl Iterator<Item = &str> {
    let message = &message[..message.floor_char_boundary(WRITE_BYTES_MAX)];
    message.trim_end_matches('\n').split('\n').flat_map(pieces)
}

fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let (piece, more) = {
            let rest = rest?;
            rest.split_at(rest.floor_char_boundary(LINE_BYTES_MAX))
        };
        rest = (!more.is_empty()).then_some(more);
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_b12_a_message_is_told_line_by_line_and_within_bounds() {
        assert_eq!(lines("").collect::<Vec<_>>(), [""]);
        assert_eq!(lines("one\n\ntwo\n").collect::<Vec<_>>(), ["one", "", "two"]);
        let long = "ä".repeat(LINE_BYTES_MAX);
        assert!(lines(&long).all(|line| line.len() <= LINE_BYTES_MAX && !line.is_empty()));
        assert_eq!(lines(&long).collect::<String>(), long);
        let much = "x\n".repeat(WRITE_BYTES_MAX);
        assert_eq!(lines(&much).count(), WRITE_BYTES_MAX / 2);
    }
}
