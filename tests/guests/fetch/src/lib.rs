//! Reaches the network as its message says: http by `wasi:http`, all else by the standard library.
//!
//! | payload | reply |
//! |---|---|
//! | `http://…`, `https://…` | the body of a GET, or the failure `status` |
//! | `send METHOD URL [BODY] [name=value…]` | the status, the headers and the body, one a line |
//! | `follow URL` | the same of a GET, after at most five redirects |
//! | `raw SCHEME AUTHORITY TARGET` | the same, with the target of the request line as it is given |
//! | `upload URL BYTES [MS]` | the same of a POST of so many bytes, which waits so long at most for each step |
//! | `exchange URL BYTES` | how many bytes answer a POST of so many, read while it writes |
//! | `hurry MS URL` | the same of a GET that waits so long at most for each step |
//! | `tcp HOST:PORT [TEXT]` | what the peer sends to its end |
//! | `hold HOST:PORT N` | how many connections could be open at once, and why no more |
//! | `serve ADDRESS N` | what N peers sent, one a line, each answered with the same |
//! | `udp ADDRESS TEXT` | the datagram that answers it |
//! | `spread TEXT ADDRESS…` | what became of one datagram to each |
//! | `hear ADDRESS` | a datagram, answered with the same |
//! | `options` | what a TCP and a UDP socket say of options that were set to the least |
//! | `inherit ADDRESS` | the hops of a connection that a listener took, and those of the listener set since |
//! | `local tcp\|udp ADDRESS` | whether a socket that is bound there says a port, before it is used |
//! | `deaf ADDRESS` | what a read says after a shutdown, of a peer that has sent something |
//! | `resolve NAME` | its addresses, sorted, one a line |
//!
//! What does not work out is the failure `io`, or `http` with the name of the error code.

wit_bindgen::generate!({ path: "../../../wit", world: "actor" });

mod duplex;
mod raw;
mod sockets;
mod web;

use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Fetch;
export!(Fetch);

impl Guest for Fetch {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let text = String::from_utf8_lossy(&message.payload);
        if text.starts_with("http://") || text.starts_with("https://") {
            return web::get(&text).map(Some);
        }
        let (command, rest) = text.split_once(' ').unwrap_or((&text, ""));
        let words: Vec<&str> = rest.split(' ').collect();
        let reply = match (command, words.as_slice()) {
            ("send", [method, url, more @ ..]) => web::send(method, url, more),
            ("follow", [url]) => web::follow(url),
            ("raw", [scheme, authority, target]) => web::raw(scheme, authority, target),
            ("upload", [url, bytes]) => web::upload(url, number(bytes)?, None),
            ("upload", [url, bytes, ms]) => web::upload(url, number(bytes)?, Some(number(ms)? as u64)),
            ("exchange", [url, bytes]) => duplex::exchange(url, number(bytes)?),
            ("hurry", [ms, url]) => web::hurry(number(ms)? as u64, url),
            ("tcp", [to, text @ ..]) => sockets::tcp(to, &text.join(" ")).map_err(io),
            ("hold", [to, count]) => Ok(sockets::hold(to, number(count)?)),
            ("serve", [on, count]) => sockets::serve(on, number(count)?).map_err(io),
            ("udp", [to, text]) => sockets::udp(to, text).map_err(io),
            ("spread", [text, to @ ..]) => sockets::spread(text, to).map_err(io),
            ("hear", [on]) => sockets::hear(on).map_err(io),
            ("options", _) => raw::options(),
            ("inherit", [on]) => raw::inherit(on),
            ("local", [kind, on]) => raw::local(kind, on),
            ("deaf", [to]) => raw::deaf(to),
            ("resolve", [name]) => sockets::resolve(name).map_err(io),
            _ => Err(failure("usage", format!("no command {text}"))),
        };
        reply.map(|text| Some(text.into_bytes()))
    }
}

fn number(text: &str) -> Result<usize, Failure> {
    text.parse().map_err(|why| failure("usage", why))
}

fn io(error: std::io::Error) -> Failure {
    failure("io", error)
}

fn failure(code: &str, text: impl ToString) -> Failure {
    Failure { code: code.to_owned(), text: text.to_string() }
}
