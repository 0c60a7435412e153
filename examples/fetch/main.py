"""A guest is denied the network, is granted one path of one server for a minute, and has it taken back."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import airwasm

guests = Path(sys.argv[1] if len(sys.argv) > 1 else "target/guests")


class Users(BaseHTTPRequestHandler):
    """Tells everybody of its users."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "8")
        self.end_headers()
        self.wfile.write(b"Ada, Bob")

    def log_message(self, format: str, *args: object) -> None:
        """What it answers is printed below."""


with ThreadingHTTPServer(("127.0.0.1", 0), Users) as server, airwasm.System() as system:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/v1"
    url = f"{base}/users".encode()

    fetch = system.spawn(system.load(guests / "fetch.wasm"), "fetch")
    try:
        fetch.request(url)
    except airwasm.Denied as e:
        print(e)
        print(e.policy_line)
    grant = fetch.grant(f"http GET {base}/**", ttl=60)
    print(fetch.request(url).decode())
    print(grant.revoke(), "connections cut")
    try:
        fetch.request(url)
    except PermissionError as e:  # `Denied` is one.
        print(e)
    server.shutdown()
