//! The server that programs of `wasi:http` ask: it answers with the method, the path and the body of a request.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Serves until the process ends.
pub fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever goes away too early is no concern of the next.
            let _ = echo(stream);
        }
    });
    Ok(address)
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut read = Vec::new();
    let head_end = loop {
        match read.windows(4).position(|four| four == b"\r\n\r\n") {
            Some(at) => break at + 4,
            None => more(&mut stream, &mut read)?,
        }
    };
    let head = String::from_utf8_lossy(&read[..head_end]).into_owned();
    let mut body = read.split_off(head_end);
    let field = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    };
    let length = field("content-length").map(|bytes| bytes.parse().unwrap_or(0));
    let framing = match (length, field("transfer-encoding")) {
        (Some(bytes), _) => format!("content-length: {bytes}"),
        (None, Some(_)) => "transfer-encoding: chunked".to_owned(),
        (None, None) => "content-length: 0".to_owned(),
    };
    let is_chunked = framing.ends_with("chunked");
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    // Some send no body before they have this.
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nx-wasmtime-test-method: {method}\r\nx-wasmtime-test-uri: {path}\r\n{framing}\r\n\r\n"
    )?;
    let (mut sent, wanted) = (0, length.unwrap_or(0));
    loop {
        stream.write_all(&body[sent..])?;
        sent = body.len();
        // Chunks go back as they came.
        if (is_chunked && body.ends_with(b"0\r\n\r\n")) || (!is_chunked && sent >= wanted) {
            return Ok(());
        }
        more(&mut stream, &mut body)?;
    }
}

fn more(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    match stream.read(&mut buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            read.extend_from_slice(&buffer[..count]);
            Ok(())
        }
    }
}
