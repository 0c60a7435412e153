"""A policy file: what it denies, why, its own tests, and loaded again."""

import sys
import tempfile
from pathlib import Path

import airwasm

guests = Path(sys.argv[1] if len(sys.argv) > 1 else "target/guests")


def write(policy: Path, docs: Path, deny: str) -> None:
    policy.write_text(f"""
version: 1
rules:
  - name: readers
    actors: [tools/reader/*]
    allow: ["fs.read {docs}/**"]
    deny: {deny}
tests:
  - {{ actor: tools/reader/0, allow: "fs.read {docs}/guide.md" }}
""")


with tempfile.TemporaryDirectory(prefix="airwasm-") as folder:
    policy, docs = Path(folder, "policy.yaml"), Path(folder, "docs")
    pay = docs / "private/pay.txt"
    pay.parent.mkdir(parents=True)
    pay.write_text("what everybody earns")
    write(policy, docs, f'["fs.read {docs}/private/**"]')

    with airwasm.System(policy=policy) as system:
        reader = system.spawn(system.load(guests / "reader.wasm"), "tools/reader/0")
        try:
            reader.request(str(pay).encode())
        except airwasm.Denied as e:
            print(e)
            print("by", e.rule)
        print(system.policy_explain("tools/reader/0", f"fs.read {pay}"))
        report = system.policy_test()
        print(report.passed, report.failed)

        write(policy, docs, "[]")
        system.policy_load(policy)  # All or nothing, and for those that live.
        print(reader.request(str(pay).encode()).decode())
