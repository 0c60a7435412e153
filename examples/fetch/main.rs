//! A guest is denied the network, is granted one path of one server for a minute, and has it taken back.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use airwasm::{ActorSpec, Code, Config, Result, System};

/// A server that tells everybody of its users.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read_exact(&mut byte).is_err() {
                    break;
                }
                head.push(byte[0]);
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nAda, Bob");
        }
    });
    address
}

fn main() -> Result<()> {
    let guests = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/guests".to_owned()));
    let base = format!("http://{}/v1", server());
    let url = format!("{base}/users");

    let system = System::open(Config::default())?;
    let component = system.load(&guests.join("fetch.wasm"))?;
    let fetch = system.spawn(ActorSpec::new(component).name("fetch"))?;
    match system.request(fetch, url.as_bytes(), &Default::default()) {
        Err(e) if e.code == Code::Denied => println!("{e}\n{}", e.policy_line()),
        other => return other.map(|_| ()),
    }
    let grant = system.grant(fetch, &format!("http GET {base}/**"), Some(Duration::from_secs(60)))?;
    let answer = system.request(fetch, url.as_bytes(), &Default::default())?;
    println!("{}", String::from_utf8_lossy(&answer));
    println!("{} connections cut", system.revoke(grant)?);
    let again = system.request(fetch, url.as_bytes(), &Default::default());
    println!("{}", again.expect_err("denied again"));
    system.close(None).map(|_report| ())
}
