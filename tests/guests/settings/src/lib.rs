//! Reads its config and writes to its log.
//!
//! | message | reply |
//! |---|---|
//! | `get NAME` | the text of that name in its config, or `none` |
//! | `all` | all of them, as in `a=1,b=2` |
//! | `log LEVEL CONTEXT TEXT` | nothing; the text is logged, `\n` in it as a line's end |
//! | `draft TEXT` | nothing; the text is logged by the draft's interface |
//! | `long COUNT` | nothing; so many `x` are logged |

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package guests:settings;

        world settings {
            include airssys:wasm/actor@0.1.0;
            import wasi:config/store@0.2.0-rc.1;
            import wasi:logging/logging;
            import wasi:logging/logging@0.1.0-draft;
        }

        package wasi:config@0.2.0-rc.1 {
            interface store {
                variant error { upstream(string), io(string) }
                get: func(key: string) -> result<option<string>, error>;
                get-all: func() -> result<list<tuple<string, string>>, error>;
            }
        }

        package wasi:logging {
            interface logging {
                enum level { trace, debug, info, warn, error, critical }
                log: func(level: level, context: string, message: string);
            }
        }

        package wasi:logging@0.1.0-draft {
            interface logging {
                enum level { trace, debug, info, warn, error, critical }
                log: func(level: level, context: string, message: string);
            }
        }
    ",
    world: "guests:settings/settings",
    generate_all,
});

use exports::airssys::wasm::handler::{self, Failure, Message};
use wasi::config::store;
use wasi::logging::logging::{self, Level};
use wasi::logging0_1_0_draft::logging as draft;

struct Settings;
export!(Settings);

impl handler::Guest for Settings {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let text = String::from_utf8_lossy(&message.payload);
        let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
        Ok(match verb {
            "get" => Some(store::get(rest).map_err(failure)?.unwrap_or("none".to_owned()).into()),
            "all" => {
                let all = store::get_all().map_err(failure)?;
                let all: Vec<_> = all.iter().map(|(name, text)| format!("{name}={text}")).collect();
                Some(all.join(",").into())
            }
            "log" => {
                let mut words = rest.splitn(3, ' ');
                let mut word = || words.next().unwrap_or_default();
                logging::log(level(word()), word(), &word().replace("\\n", "\n"));
                None
            }
            "draft" => {
                draft::log(draft::Level::Info, "draft", rest);
                None
            }
            "long" => {
                logging::log(Level::Info, &"c".repeat(1_000), &"x".repeat(rest.parse().unwrap_or(0)));
                None
            }
            _ => return Err(Failure { code: "unknown".to_owned(), text: verb.to_owned() }),
        })
    }
}

fn failure(error: store::Error) -> Failure {
    Failure { code: "config".to_owned(), text: format!("{error:?}") }
}

fn level(name: &str) -> Level {
    match name {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "warn" => Level::Warn,
        "error" => Level::Error,
        "critical" => Level::Critical,
        _ => Level::Info,
    }
}
