//! What a program that serves http is asked, one request a connection, and whether it answers as is wanted.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// Nothing takes so long unless it hangs.
const LONG: Duration = Duration::from_secs(60);

/// One request, and what is wanted of its answer. `$SERVER` in a text is the address of the server that programs ask.
#[derive(Clone)]
pub struct Ask {
    method: String,
    target: String,
    /// Lines of its head; the host is `localhost` unless one of them says otherwise.
    fields: Vec<String>,
    /// The length of its body, which is to come back.
    echo_bytes: usize,
    status: u16,
    /// Lines of the answer's head.
    says: Vec<String>,
    /// With what no line of the answer's head begins.
    lacks: Vec<String>,
    body: Option<String>,
}

struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Ask {
    /// A `GET /` that is answered with 200, unless the JSON says otherwise.
    pub fn of(json: &Value) -> Self {
        let text = |name: &str, other: &str| json[name].as_str().unwrap_or(other).to_owned();
        let number = |name: &str, other| json[name].as_u64().unwrap_or(other);
        Self {
            method: text("method", "GET"),
            target: text("target", "/"),
            fields: super::expected::texts(&json["fields"]),
            echo_bytes: usize::try_from(number("echo_bytes", 0)).expect("a length"),
            status: u16::try_from(number("status", 200)).expect("a status"),
            says: super::expected::texts(&json["says"]),
            lacks: super::expected::texts(&json["lacks"]),
            body: json["body"].as_str().map(str::to_owned),
        }
    }

    /// Asks, and says what is wrong with the answer.
    pub fn at(&self, address: SocketAddr, server: Option<SocketAddr>) -> Result<(), Box<dyn Error>> {
        let filled = |text: &String| match server {
            Some(server) => text.replace("$SERVER", &server.to_string()),
            None => text.clone(),
        };
        let sent = body_of(self.echo_bytes);
        let answer = exchange(address, self.head(&filled), sent.clone())?;
        let lines: Vec<&str> = answer.head.lines().collect();
        let named = |line: &str| lines.iter().any(|found| found.eq_ignore_ascii_case(line));
        let begun = |name: &String| lines.iter().any(|found| found.starts_with(name.as_str()));
        let status = lines.first().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let is_wanted = status == Some(self.status)
            && self.says.iter().map(filled).all(|line| named(&line))
            && !self.lacks.iter().any(begun)
            && self.body.as_ref().map(filled).is_none_or(|body| answer.body == body.as_bytes())
            && (sent.is_empty() || answer.body == sent);
        match is_wanted {
            true => Ok(()),
            false => Err(format!("{} {}: {}", self.method, self.target, answer.shown()).into()),
        }
    }

    fn head(&self, filled: &dyn Fn(&String) -> String) -> String {
        let mut fields: Vec<String> = self.fields.iter().map(filled).collect();
        if !fields.iter().any(|field| field.starts_with("host:")) {
            fields.push("host: localhost".to_owned());
        }
        if self.echo_bytes > 0 {
            fields.push(format!("content-length: {}", self.echo_bytes));
        }
        format!(
            "{} {} HTTP/1.1\r\n{}\r\nconnection: close\r\n\r\n",
            self.method,
            self.target,
            fields.join("\r\n")
        )
    }
}

impl Answer {
    fn shown(&self) -> String {
        let begin = &self.body[..self.body.len().min(200)];
        format!("{} {}", self.head.replace("\r\n", "; "), String::from_utf8_lossy(begin))
    }
}

/// So many bytes, of which no stretch is like the one after it.
fn body_of(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at.wrapping_mul(251) ^ (at >> 8)) as u8).collect()
}

/// Sends while it reads, for an echo waits for its reader.
fn exchange(address: SocketAddr, head: String, body: Vec<u8>) -> Result<Answer, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LONG))?;
    stream.set_write_timeout(Some(LONG))?;
    let mut writer = stream.try_clone()?;
    let writing = thread::spawn(move || {
        // Who answers before it has read all may close: what it says is looked at.
        let _ = writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&body));
    });
    let mut all = Vec::new();
    stream.read_to_end(&mut all)?;
    writing.join().map_err(|_| "the client panicked")?;
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no answer")?;
    let (head, body) = (String::from_utf8_lossy(&all[..end]).into_owned(), &all[end + 4..]);
    let is_chunked = head.to_ascii_lowercase().contains("\r\ntransfer-encoding: chunked");
    let body = if is_chunked { chunks(body).ok_or("the answer was cut")? } else { body.to_vec() };
    Ok(Answer { head, body })
}

/// What is in the chunks, if the last one has come.
fn chunks(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?, 16).ok()?;
        let chunk = bytes.get(end + 2..end + 2 + length)?;
        if length == 0 {
            return Some(all);
        }
        all.extend_from_slice(chunk);
        bytes = bytes.get(end + 2 + length + 2..)?;
    }
}
