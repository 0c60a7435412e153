//! Makes an actor of a program: composed with a component that exports `wasi:cli/run`, it runs that at each message.
//!
//! The answer is `ok`, or the failure `run`. It cannot be started alone, for nobody else provides `wasi:cli/run`.

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package airwasm:command;
        interface unused {}
        world command {
            import wasi:cli/run@0.2.0;
            export airssys:wasm/handler@0.1.0;
        }
        package wasi:cli@0.2.0 {
            interface run { run: func() -> result; }
        }
    ",
    world: "airwasm:command/command",
    generate_all,
});

use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Command;
export!(Command);

impl Guest for Command {
    fn handle(_: Message) -> Result<Option<Vec<u8>>, Failure> {
        match wasi::cli::run::run() {
            Ok(()) => Ok(Some(b"ok".to_vec())),
            Err(()) => {
                Err(Failure { code: "run".to_owned(), text: "the program says that it failed".to_owned() })
            }
        }
    }
}
