//! Guests that serve http where it is granted: real sockets, on loopback only.

mod ending;
mod failing;
mod hostile;
mod served;
mod waiting;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use airwasm::{
    ActorHandle, ActorSpec, Budget, Code, Config, Event, Events, GrantHandle, RequestOptions, System,
};
use airwasm_tests::guest;
use serde_json::Value;
use tempfile::TempDir;

/// Nothing takes so long unless it hangs.
const LONG: Duration = Duration::from_secs(60);
const LISTEN: &str = "net.listen 127.0.0.1:*";

/// A system with one guest that serves.
struct World {
    system: System,
    actor: ActorHandle,
    events: Events,
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        Self::with(|spec| spec)
    }

    fn with(change: impl FnOnce(ActorSpec) -> ActorSpec) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let audit = Some(folder.path().join("audit.jsonl"));
        let system = System::open(Config { audit, ..Config::default() }).expect("a system");
        let events = system.events("http.*,actor.*").expect("events");
        let component = system.load(&guest("serve")).expect("a built guest");
        let spec = ActorSpec::new(component).name("serve").http_listen("127.0.0.1:0").grant(LISTEN);
        let actor = system.spawn(change(spec)).expect("starts");
        Self { system, actor, events, folder }
    }

    fn listening(&self) -> Option<SocketAddr> {
        let status = self.system.status(self.actor).expect("a status");
        status.listening.map(|text| text.parse().expect("an address"))
    }

    fn connect(&self) -> Peer {
        Peer::at(self.listening().expect("it listens"))
    }

    /// Status and body of a GET on a connection of its own.
    fn get(&self, target: &str) -> (u16, String) {
        self.connect().ask(target)
    }

    fn told(&self, message: &str) -> String {
        let options = RequestOptions { timeout: Some(LONG), ..RequestOptions::default() };
        let answer = self.system.request(self.actor, message.as_bytes(), &options).expect("an answer");
        String::from_utf8(answer).expect("text")
    }

    fn grant(&self) -> GrantHandle {
        let grants = self.system.grants(self.actor).expect("lives");
        grants.into_iter().find(|grant| grant.capability.starts_with("net.listen")).expect("granted").grant
    }

    /// The next event of this kind.
    fn event(&self, kind: &str) -> Event {
        loop {
            let event = self.events.next_async().wait().expect("no error").expect("open");
            if event.kind == kind {
                return event;
            }
        }
    }

    /// Waits until it was handed so many messages.
    fn handled(&self, count: u64) {
        until(|| self.system.status(self.actor).expect("a status").handled >= count);
    }

    /// All records of the audit. It ends the system, so that all is written.
    fn records(self) -> Vec<Value> {
        self.system.close(None).expect("closes");
        let text = std::fs::read_to_string(self.folder.path().join("audit.jsonl")).expect("an audit");
        text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
    }
}

/// Waits for what comes without a word.
fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        std::thread::yield_now();
    }
}

/// A peer of a server.
struct Peer(TcpStream);

impl Peer {
    fn at(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("somebody listens");
        stream.set_read_timeout(Some(LONG)).expect("can be set");
        Self(stream)
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // Somebody who refuses may not read all.
        let _ = self.0.write_all(bytes.as_ref());
    }

    fn begin(&mut self, target: &str) {
        self.send(format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n"));
    }

    fn ask(&mut self, target: &str) -> (u16, String) {
        self.begin(target);
        let (status, _, body) = self.response();
        (status, body)
    }

    /// What comes until it ends like this, or at all.
    fn read_to(&mut self, end: &str) -> String {
        let (mut all, mut byte) = (Vec::new(), [0]);
        while !all.ends_with(end.as_bytes()) {
            match self.0.read(&mut byte) {
                Ok(1) => all.push(byte[0]),
                _ => break,
            }
        }
        String::from_utf8_lossy(&all).into_owned()
    }

    /// Status, head and body of the next response.
    fn response(&mut self) -> (u16, String, String) {
        let head = self.read_to("\r\n\r\n").to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let body = match length {
            Some(length) => {
                let mut body = vec![0; length.parse().expect("a number")];
                self.0.read_exact(&mut body).expect("all of it");
                String::from_utf8_lossy(&body).into_owned()
            }
            None if status == 0 => String::new(),
            None => self.chunks(),
        };
        (status, head, body)
    }

    fn chunks(&mut self) -> String {
        let mut body = Vec::new();
        loop {
            let length = self.read_to("\r\n");
            let Ok(length) = usize::from_str_radix(length.trim(), 16) else { return "cut".to_owned() };
            let mut chunk = vec![0; length + 2];
            self.0.read_exact(&mut chunk).expect("all of it");
            body.extend(&chunk[..length]);
            if length == 0 {
                return String::from_utf8(body).expect("text");
            }
        }
    }

    /// Asserts that nothing more comes.
    #[track_caller]
    fn ended(&mut self) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => assert_eq!(String::from_utf8_lossy(&rest), ""),
            Err(why) => assert_eq!(why.kind(), std::io::ErrorKind::ConnectionReset, "{why}"),
        }
    }
}
