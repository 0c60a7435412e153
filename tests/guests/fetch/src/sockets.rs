//! TCP, UDP and names, as the standard library has them.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

pub fn tcp(to: &str, text: &str) -> Result<String> {
    let mut stream = TcpStream::connect(to)?;
    stream.write_all(text.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

pub fn hold(to: &str, count: usize) -> String {
    let mut held = Vec::new();
    while held.len() < count {
        match TcpStream::connect(to) {
            Ok(stream) => held.push(stream),
            Err(why) => return format!("{} {why}", held.len()),
        }
    }
    held.len().to_string()
}

pub fn serve(on: &str, count: usize) -> Result<String> {
    let listener = TcpListener::bind(on)?;
    let mut heard = Vec::new();
    for _ in 0..count {
        let (mut stream, _) = listener.accept()?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        stream.write_all(text.as_bytes())?;
        stream.shutdown(Shutdown::Write)?;
        heard.push(text);
    }
    Ok(heard.join("\n"))
}

pub fn udp(to: &str, text: &str) -> Result<String> {
    let socket = UdpSocket::bind(if to.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" })?;
    socket.send_to(text.as_bytes(), to)?;
    receive(&socket).map(|(text, _)| text)
}

pub fn spread(text: &str, to: &[&str]) -> Result<String> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    let one = |to: &&str| match socket.send_to(text.as_bytes(), to) {
        Ok(bytes) => format!("{bytes}"),
        Err(why) => format!("{why}"),
    };
    Ok(to.iter().map(one).collect::<Vec<_>>().join("\n"))
}

pub fn hear(on: &str) -> Result<String> {
    let socket = UdpSocket::bind(on)?;
    let (text, from) = receive(&socket)?;
    socket.send_to(text.as_bytes(), from)?;
    Ok(text)
}

fn receive(socket: &UdpSocket) -> Result<(String, std::net::SocketAddr)> {
    let mut buffer = [0; 2_048];
    let (count, from) = socket.recv_from(&mut buffer)?;
    Ok((String::from_utf8_lossy(&buffer[..count]).into_owned(), from))
}

pub fn resolve(name: &str) -> Result<String> {
    let mut found: Vec<String> =
        (name, 0).to_socket_addrs()?.map(|address| address.ip().to_string()).collect();
    found.sort();
    found.dedup();
    Ok(found.join("\n"))
}
