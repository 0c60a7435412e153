//! A guest serves http on an address that it was granted.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use airwasm::{ActorSpec, Config, Result, System};

fn main() -> Result<()> {
    let guests = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/guests".to_owned()));
    let system = System::open(Config::default())?;
    let component = system.load(&guests.join("serve.wasm"))?;
    let spec = ActorSpec::new(component).name("serve").http_listen("127.0.0.1:0");
    let server = system.spawn(spec.grant("net.listen 127.0.0.1:*"))?;
    let address = system.status(server)?.listening.expect("it listens");

    let mut stream = TcpStream::connect(address).expect("it is there");
    let request = b"GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).expect("it is read");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("an answer");
    println!("{}", response.lines().next().unwrap_or_default()); // HTTP/1.1 200 OK
    system.close(None).map(|_report| ())
}
