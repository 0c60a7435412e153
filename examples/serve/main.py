"""A guest serves http on an address that it was granted."""

import sys
from pathlib import Path
from urllib.request import urlopen

import airwasm

guests = Path(sys.argv[1] if len(sys.argv) > 1 else "target/guests")

with airwasm.System() as system:
    component = system.load(guests / "serve.wasm")
    server = system.spawn(component, "serve", http_listen="127.0.0.1:0", grants=["net.listen 127.0.0.1:*"])
    with urlopen(f"http://{server.status().listening}/hello") as response:
        print(response.read().decode())  # hello
