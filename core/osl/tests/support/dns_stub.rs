//! A name server on 127.0.0.1 that answers as it is told.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

pub const A: u16 = 1;
pub const AAAA: u16 = 28;

/// What it says to one question.
pub enum Reply {
    /// Those of the family that was asked for.
    Addresses(Vec<IpAddr>),
    /// An alias, and the addresses of that.
    Alias(String, Vec<IpAddr>),
    Code(u8),
    /// The addresses do not fit into a datagram.
    Truncated(Vec<IpAddr>),
    /// First forged answers of somebody who does not know the id or the question, then the addresses.
    Forged(IpAddr, Vec<IpAddr>),
    Silence,
}

/// A question: the name as it was asked, the kind, and how many came before it.
type Answerer = dyn Fn(&str, u16, usize) -> Reply + Send + Sync;

pub struct DnsStub {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<(String, u16)>>>,
    threads: Vec<JoinHandle<()>>,
}

impl DnsStub {
    pub fn new(answer: impl Fn(&str, u16, usize) -> Reply + Send + Sync + 'static) -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<_>>> = Arc::default();
        let answer: Arc<Answerer> = Arc::new(answer);
        let (log, by_tcp) = (asked.clone(), answer.clone());
        let udp = std::thread::spawn(move || over_udp(&udp, &log, &*answer));
        let tcp = std::thread::spawn(move || over_tcp(&tcp, &*by_tcp));
        Self { address, asked, threads: vec![udp, tcp] }
    }

    /// Always the same addresses, whatever is asked.
    pub fn fixed(addresses: &[&str]) -> Self {
        let addresses = ips(addresses);
        Self::new(move |_, _, _| Reply::Addresses(addresses.clone()))
    }

    /// What it was asked over UDP.
    pub fn asked(&self) -> Vec<(String, u16)> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for DnsStub {
    fn drop(&mut self) {
        // An empty message ends each thread.
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[], self.address).unwrap();
        drop(TcpStream::connect(self.address).unwrap());
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

pub fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn over_udp(socket: &UdpSocket, log: &Mutex<Vec<(String, u16)>>, answer: &Answerer) {
    let mut buf = [0; 512];
    loop {
        let (count, from) = socket.recv_from(&mut buf).unwrap();
        if count == 0 {
            return;
        }
        let query = &buf[..count];
        let (name, kind) = question(query);
        let nth = {
            let mut log = log.lock().unwrap();
            log.push((name.clone(), kind));
            log.len() - 1
        };
        for message in messages(query, kind, answer(&name, kind, nth), false) {
            socket.send_to(&message, from).unwrap();
        }
    }
}

fn over_tcp(listener: &TcpListener, answer: &Answerer) {
    loop {
        let (mut stream, _) = listener.accept().unwrap();
        let mut length = [0; 2];
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut query).unwrap();
        let (name, kind) = question(&query);
        for message in messages(&query, kind, answer(&name, kind, 0), true) {
            // In two pieces, so that nobody counts on one read.
            let framed = [&(message.len() as u16).to_be_bytes(), message.as_slice()].concat();
            stream.write_all(&framed[..1]).unwrap();
            stream.write_all(&framed[1..]).unwrap();
        }
    }
}

fn question(query: &[u8]) -> (String, u16) {
    let (mut at, mut labels) = (12, Vec::new());
    while query[at] != 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8(query[at + 1..=at + length].to_vec()).unwrap());
        at += length + 1;
    }
    (labels.join("."), u16::from_be_bytes([query[at + 1], query[at + 2]]))
}

fn messages(query: &[u8], kind: u16, reply: Reply, tcp: bool) -> Vec<Vec<u8>> {
    match reply {
        Reply::Silence => Vec::new(),
        Reply::Addresses(ips) => vec![message(query, 0x8180, &addresses(&[0xc0, 12], kind, &ips))],
        Reply::Truncated(_) if !tcp => vec![message(query, 0x8380, &[])],
        Reply::Truncated(ips) => vec![message(query, 0x8180, &addresses(&[0xc0, 12], kind, &ips))],
        Reply::Code(code) => vec![message(query, 0x8180 | u16::from(code), &[])],
        Reply::Alias(alias, ips) => {
            let alias = wire(&alias);
            let mut records = vec![record(&[0xc0, 12], 5, &alias)];
            records.extend(addresses(&alias, kind, &ips));
            vec![message(query, 0x8180, &records)]
        }
        Reply::Forged(forged, ips) => {
            let good = message(query, 0x8180, &addresses(&[0xc0, 12], kind, &ips));
            let mut other_id = message(query, 0x8180, &addresses(&[0xc0, 12], kind, &[forged]));
            other_id[0] ^= 0x80;
            let mut other_name = message(query, 0x8180, &addresses(&[0xc0, 12], kind, &[forged]));
            other_name[13] ^= 1;
            vec![b"no message".to_vec(), other_id, other_name, good]
        }
    }
}

fn message(query: &[u8], flags: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let mut message = query.to_vec();
    message[2..4].copy_from_slice(&flags.to_be_bytes());
    message[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
    message.extend(records.concat());
    message
}

fn addresses(owner: &[u8], kind: u16, ips: &[IpAddr]) -> Vec<Vec<u8>> {
    let of_kind = ips.iter().filter(|ip| ip.is_ipv4() == (kind == A));
    let record = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => record(owner, A, &ip.octets()),
        IpAddr::V6(ip) => record(owner, AAAA, &ip.octets()),
    };
    of_kind.map(record).collect()
}

/// With a time to live of 0.
fn record(owner: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let head = [kind.to_be_bytes(), [0, 1], [0, 0], [0, 0], (data.len() as u16).to_be_bytes()].concat();
    [owner, &head, data].concat()
}

fn wire(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}
