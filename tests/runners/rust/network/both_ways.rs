//! Bodies that no buffer holds, both ways at once, and servers that take them slowly, late or never.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use airwasm::Code;

use super::{World, answered, refused, servers};

/// More than a system keeps of a connection that nobody reads.
const BYTES: usize = 12 << 20;
/// What a server answers before the body, of which there are so many bytes, or as many as come.
const EARLY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nearly";
const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";

/// How a body in chunks ends.
const END: &[u8] = b"0\r\n\r\n";

/// A body in chunks, piece by piece; how many `x` each has.
struct Chunks<S> {
    stream: S,
    tail: Vec<u8>,
}

impl<S: Read> Iterator for Chunks<S> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.tail.ends_with(END) {
            return None;
        }
        let mut piece = vec![0; 256 << 10];
        let count = self.stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        self.tail.extend(&piece[..count]);
        self.tail.drain(..self.tail.len().saturating_sub(END.len()));
        Some(piece[..count].iter().filter(|byte| **byte == b'x').count())
    }
}

fn chunks<S: Read>(stream: S) -> Chunks<S> {
    Chunks { stream, tail: Vec::new() }
}

/// What one connection tells, and what it waits for; each end is open for good when the other is gone.
struct Turns {
    told: Receiver<usize>,
    go: Sender<()>,
}

/// Talks to each connection after its head, by turns: it tells a number and waits.
fn by_turns(
    talk: impl Fn(&mut std::net::TcpStream, &dyn Fn(usize)) + Send + Sync + 'static,
) -> (SocketAddr, Turns) {
    let ((tell, told), (go, gate)) = (channel(), channel());
    let ends = Mutex::new((tell, gate));
    let to = servers::tcp(move |mut stream| {
        servers::head(&mut stream);
        talk(&mut stream, &|number| {
            let ends = ends.lock().expect("no panic");
            let _ = ends.0.send(number);
            let _ = ends.1.recv();
        });
    });
    (to, Turns { told, go })
}

fn grant(to: SocketAddr) -> String {
    format!("http POST http://{to}/**")
}

#[test]
fn a_body_that_no_buffer_holds_goes_as_the_server_takes_it() {
    let (to, turns) = by_turns(|stream, turn| {
        turn(0);
        let read = stream.try_clone().expect("a descriptor");
        let count: usize = chunks(read).inspect(|count| turn(*count)).sum();
        let _ = stream.write_all(&servers::ok(&count.to_string()));
    });
    let world = World::new(&[&grant(to)]);
    let sending = world.begin(&format!("upload http://{to}/ {BYTES}"));
    let mut all = 0;
    while all < BYTES {
        all += turns.told.recv().expect("it reads");
        let _ = turns.go.send(());
    }
    // What follows has no byte of it.
    drop(turns);
    assert!(answered(sending).expect("answered").ends_with(&format!("\n{BYTES}")));
    world.closes();
}

#[test]
fn a_server_that_answers_before_it_has_read_has_all_of_the_body() {
    let (to, turns) = by_turns(|stream, turn| {
        let _ = stream.write_all(EARLY);
        turn(chunks(stream).sum());
    });
    let world = World::new(&[&grant(to)]);
    let sending = world.begin(&format!("upload http://{to}/ {BYTES}"));
    assert_eq!(turns.told.recv().expect("it reads"), BYTES);
    assert!(answered(sending).expect("answered").ends_with("\nearly"));
    drop(turns);
    world.closes();
}

#[test]
fn a_server_that_answers_and_hangs_up_instead_of_reading_is_an_error_at_once() {
    for answer in [EARLY, b""] {
        let to = servers::tcp(move |mut stream| {
            servers::head(&mut stream);
            let _ = stream.write_all(answer);
        });
        let world = World::new(&[&grant(to)]);
        let failure = world.failure(&format!("upload http://{to}/ {BYTES}"));
        assert!(!failure.contains("Timeout"), "{failure}");
        world.closes();
    }
}

#[test]
fn bodies_that_no_buffer_holds_go_both_ways_at_once() {
    /// Reads all before it writes, writes all before it reads, or does both by turns.
    fn talk(how: usize, stream: &mut (impl Read + Write)) {
        let write = |stream: &mut dyn Write, count: usize| {
            let _ = stream.write_all(&vec![b'x'; count]);
        };
        let _ = stream.write_all(ENDLESS);
        match how {
            0 => {
                let count = chunks(&mut *stream).sum();
                write(stream, count);
            }
            1 => {
                write(stream, BYTES);
                assert_eq!(chunks(&mut *stream).sum::<usize>(), BYTES);
            }
            _ => {
                let mut tail = Vec::new();
                loop {
                    let mut reading = Chunks { stream: &mut *stream, tail };
                    let Some(count) = reading.next() else { break };
                    tail = reading.tail;
                    write(stream, count);
                }
            }
        }
    }
    for how in 0..3 {
        let plain = servers::tcp(move |mut stream| {
            servers::head(&mut stream);
            talk(how, &mut stream);
        });
        let secret = servers::under_tls(move |mut stream| {
            servers::head(&mut stream);
            talk(how, &mut stream);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        });
        for url in [format!("http://{plain}/"), format!("https://{secret}/")] {
            let world = World::new(&[&format!("http POST {url}**")]);
            assert_eq!(world.told(&format!("exchange {url} {BYTES}")), BYTES.to_string(), "{how} {url}");
            world.closes();
        }
    }
}

#[test]
fn hostile_e14_a_server_that_never_reads_is_waited_for_no_longer_than_the_guest_says() {
    let (to, turns) = by_turns(|_, turn| turn(0));
    let world = World::new(&[&grant(to)]);
    let failure = world.failure(&format!("upload http://{to}/ {BYTES} 2000"));
    assert!(failure.contains("ConnectionReadTimeout"), "{failure}");
    world.closes();
    drop(turns);
}

#[test]
fn a_revocation_cuts_a_body_that_is_being_written_before_and_after_the_answer() {
    for answer in [&b""[..], EARLY] {
        let (to, turns) = by_turns(move |stream, turn| {
            let _ = stream.write_all(answer);
            turn(0);
            turn(chunks(stream).sum());
        });
        let world = World::new(&[&grant(to)]);
        let sending = world.begin(&format!("upload http://{to}/ {BYTES}"));
        turns.told.recv().expect("it comes");
        assert_eq!(world.revoke(&grant(to)), 1);
        refused(answered(sending), Code::GrantRevoked);
        turns.go.send(()).expect("it waits");
        let had = turns.told.recv().expect("it ends");
        assert!(had < BYTES, "{had}");
        assert_eq!(world.denials().len(), 1, "{answer:?}");
    }
}
