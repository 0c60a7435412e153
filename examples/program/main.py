"""A guest runs a program: denied, granted, run, taken back."""

import json
import sys
from pathlib import Path

import airwasm

guests = Path(sys.argv[1] if len(sys.argv) > 1 else "target/guests")
run = {"op": "run", "program": "/usr/bin/printf", "args": ["hello %s\n", "world"]}

with airwasm.System() as system:
    # Runs programs for others, each by the grants of who asks; it has none itself.
    system.spawn_processes("processes")
    # The guest `relay` passes on what it is told: to whom, and what.
    relay = system.load(guests / "relay.wasm")
    tool = system.spawn(relay, "tool", grants=["message.request processes"])
    asked = b"processes " + json.dumps(run).encode()
    try:
        tool.request(asked)
    except airwasm.Denied as e:
        print(e)
        print(e.policy_line)
    grant = tool.grant("process.run /usr/bin/printf **")
    print(tool.request(asked).decode())
    print(grant.revoke(), "programs cut")
    try:
        tool.request(asked)
    except airwasm.Denied as e:
        print(e.name, "again")
