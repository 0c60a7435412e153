use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::message::{self, Answer, Family};
use super::resolv_conf;
use crate::net::{Resolve, ResolveError};

/// Asks name servers, in their order and twice if need be, each with an id and a port of its own.
///
/// Nothing of the host but the list of servers changes an answer: no variable of its environment, no
/// `/etc/hosts`, no search domain, no cache. `localhost` and what is below it is the loopback (RFC 6761).
pub struct DnsResolver(Servers);

enum Servers {
    Given(Vec<SocketAddr>),
    /// The file that names them, read at each lookup.
    Listed(PathBuf),
}

/// How often each server is asked.
const ROUNDS: usize = 2;
/// How long one server may take, when there is time for another.
const ANSWER_MAX: Duration = Duration::from_secs(2);
const LIST_BYTES_MAX: u64 = 65_536;
/// Larger than any datagram that a question without extensions is answered with.
const DATAGRAM_BYTES_MAX: usize = 4_096;

impl DnsResolver {
    /// Asks these.
    pub fn new(servers: Vec<SocketAddr>) -> Self {
        Self(Servers::Given(servers))
    }

    /// Asks those that `/etc/resolv.conf` names at the time.
    pub fn system() -> Self {
        Self::listed(PathBuf::from("/etc/resolv.conf"))
    }

    /// Asks those that a file of the same form names at the time.
    pub fn listed(file: PathBuf) -> Self {
        Self(Servers::Listed(file))
    }

    fn servers(&self) -> io::Result<Vec<SocketAddr>> {
        match &self.0 {
            Servers::Given(servers) => Ok(servers.clone()),
            Servers::Listed(path) => {
                let mut text = String::new();
                File::open(path)?.take(LIST_BYTES_MAX).read_to_string(&mut text)?;
                Ok(resolv_conf::servers(&text))
            }
        }
    }
}

impl Resolve for DnsResolver {
    fn resolve(&self, name: &str, deadline: Instant) -> Result<Vec<IpAddr>, ResolveError> {
        if name == "localhost" || name.ends_with(".localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let no_list = |error| ResolveError::NoAnswer(format!("the list of name servers: {error}"));
        let servers = self.servers().map_err(no_list)?;
        let mut why = "there are no name servers to ask".to_owned();
        for server in (0..ROUNDS).flat_map(|_| &servers) {
            let now = Instant::now();
            if now >= deadline {
                return Err(ResolveError::Timeout);
            }
            match ask(*server, name, deadline.min(now + ANSWER_MAX)) {
                Ok(addresses) if addresses.is_empty() => {
                    return Err(ResolveError::NotFound(name.to_owned()));
                }
                Ok(addresses) => return Ok(addresses),
                Err(error) => why = format!("the name server {server}: {error}"),
            }
        }
        if Instant::now() >= deadline { Err(ResolveError::Timeout) } else { Err(ResolveError::NoAnswer(why)) }
    }
}

/// The addresses of both families, in turn. One family's failure is none when the other has addresses.
fn ask(server: SocketAddr, name: &str, deadline: Instant) -> io::Result<Vec<IpAddr>> {
    // Both questions are on their way before the first answer is waited for.
    let questions = [Family::V4, Family::V6].map(|family| Question::send(server, name, family));
    let [v4, v6] = questions.map(|question| question.and_then(|question| question.answer(deadline)));
    match (v4, v6) {
        (Ok(v4), Ok(v6)) => Ok(in_turn(&v4, &v6)),
        (Ok(some), Err(_)) | (Err(_), Ok(some)) if !some.is_empty() => Ok(some),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

fn in_turn(v4: &[IpAddr], v6: &[IpAddr]) -> Vec<IpAddr> {
    (0..v4.len().max(v6.len())).flat_map(|at| [v4.get(at), v6.get(at)]).flatten().copied().collect()
}

/// One question on its way. Its socket is connected, so that only the server is heard.
struct Question<'a> {
    server: SocketAddr,
    name: &'a str,
    family: Family,
    id: u16,
    socket: UdpSocket,
}

impl<'a> Question<'a> {
    fn send(server: SocketAddr, name: &'a str, family: Family) -> io::Result<Self> {
        let any: IpAddr =
            if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let id = (getrandom::u32()? >> 16) as u16;
        // The system chooses a port that nobody can guess.
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(server)?;
        socket.send(&message::query(id, name, family))?;
        Ok(Self { server, name, family, id, socket })
    }

    fn answer(&self, deadline: Instant) -> io::Result<Vec<IpAddr>> {
        let mut buf = [0; DATAGRAM_BYTES_MAX];
        loop {
            self.socket.set_read_timeout(Some(left(deadline)?))?;
            let count = match self.socket.recv(&mut buf) {
                Ok(count) => count,
                Err(error) if is_wait(&error) => continue,
                Err(error) => return Err(error),
            };
            // What answers another question was sent by somebody else, or late.
            if let Some(answer) = message::answer(&buf[..count], self.id, self.name, self.family) {
                return self.accepted(answer, deadline);
            }
        }
    }

    fn accepted(&self, answer: Answer, deadline: Instant) -> io::Result<Vec<IpAddr>> {
        match answer {
            Answer::Addresses(addresses) => Ok(addresses),
            Answer::Failed(code) => Err(io::Error::other(format!("answered with code {code}"))),
            Answer::Truncated => match self.over_tcp(deadline)? {
                Some(Answer::Addresses(addresses)) => Ok(addresses),
                Some(Answer::Failed(code)) => Err(io::Error::other(format!("answered with code {code}"))),
                _ => Err(io::Error::other("answered over TCP with no answer")),
            },
        }
    }

    fn over_tcp(&self, deadline: Instant) -> io::Result<Option<Answer>> {
        let query = message::query(self.id, self.name, self.family);
        let length = u16::try_from(query.len()).expect("a question is short");
        let mut stream = TcpStream::connect_timeout(&self.server, left(deadline)?)?;
        stream.set_write_timeout(Some(left(deadline)?))?;
        stream.write_all(&[&length.to_be_bytes(), query.as_slice()].concat())?;
        let mut length = [0; 2];
        fill(&mut stream, &mut length, deadline)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        fill(&mut stream, &mut message, deadline)?;
        Ok(message::answer(&message, self.id, self.name, self.family))
    }
}

/// Reads a buffer full before the deadline, however slowly it comes.
fn fill(stream: &mut TcpStream, mut buf: &mut [u8], deadline: Instant) -> io::Result<()> {
    while !buf.is_empty() {
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(buf) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => buf = &mut buf[count..],
            Err(error) if is_wait(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")) } else { Ok(left) }
}

fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
