//! Servers on loopback that do as they are told, each on threads that end with the tests.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::tls;

/// Listens on a free port, and handles each connection on a thread.
pub fn tcp(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = handle.clone();
            thread::spawn(move || handle(stream));
        }
    });
    address
}

/// Answers each request by its head, and closes.
pub fn http(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> SocketAddr {
    tcp(move |mut stream| {
        let head = head(&mut stream);
        // The guest may have gone by now.
        let _ = stream.write_all(&answer(&head));
    })
}

/// The same under TLS.
pub fn https(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> SocketAddr {
    under_tls(move |mut stream| {
        let head = head(&mut stream);
        if !head.is_empty() {
            let _ = stream.write_all(&answer(&head));
        }
        stream.conn.send_close_notify();
        let _ = stream.flush();
    })
}

/// Handles each connection under TLS, with the certificate of `tls.example` and `127.0.0.1`.
pub fn under_tls(
    handle: impl Fn(StreamOwned<ServerConnection, TcpStream>) + Send + Sync + 'static,
) -> SocketAddr {
    let chain = CertificateDer::pem_file_iter(tls("server.pem")).expect("a file");
    let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_file(tls("server.key")).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("known versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("they fit");
    let config = Arc::new(config);
    tcp(move |stream| {
        let connection = ServerConnection::new(config.clone()).expect("a connection");
        handle(StreamOwned::new(connection, stream));
    })
}

/// What a request says before its body; nothing if it never said so much.
pub fn head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    for byte in BufReader::with_capacity(1, stream).bytes() {
        let Ok(byte) = byte else { return String::new() };
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            return String::from_utf8(head).expect("text");
        }
    }
    String::new()
}

/// A whole response.
pub fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// Answers each datagram with itself.
pub fn udp() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("bound");
    thread::spawn(move || {
        let mut buffer = [0; 2_048];
        while let Ok((count, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..count], from);
        }
    });
    address
}

/// A port that nobody listens on, for now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Connects to somebody who is about to listen.
pub fn dial(address: SocketAddr) -> TcpStream {
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => return stream,
            Err(_) => thread::yield_now(),
        }
    }
}
