"""Denied, granted for a minute, taken back."""

import sys
import tempfile
from pathlib import Path

import airwasm

guests = Path(sys.argv[1] if len(sys.argv) > 1 else "target/guests")

with tempfile.TemporaryDirectory(prefix="airwasm-") as folder, airwasm.System() as system:
    note = Path(folder, "note.txt")
    note.write_text("a note")
    path = str(note).encode()

    reader = system.spawn(system.load(guests / "reader.wasm"), "reader")
    try:
        reader.request(path)
    except airwasm.Denied as e:
        print(e)
        print(e.policy_line)
    grant = reader.grant(f"fs.read {folder}/**", ttl=60)
    print(reader.request(path).decode())
    print(grant.revoke(), "open files cut")
    try:
        reader.request(path)
    except PermissionError as e:  # `Denied` is one.
        print(e)
