"""A tool as an agent would have it: takes one line of text, does what it says by Python's own means, answers JSON.

| line | does |
|---|---|
| `count TEXT` | counts words, and how often each occurs |
| `read PATH` | `open`, answers the text |
| `write PATH TEXT` | `open` for writing |
| `list PATH` | `os.listdir` |
| `env NAME` | `os.environ` |
| `args` | `sys.argv` |
| `nap MS` | `time.sleep`, answers whether the clock went on as long |
| `random` | `os.urandom`, answers how many bytes came |
| `print TEXT` | to the standard output |
| `connect HOST PORT` | a TCP connection |
| `send ID TEXT`, `ask ID TEXT` | to another actor |
| `keep TEXT`, `kept` | what one message leaves to the next |
| `refuse` | answers a failure |
| `raise` | raises, which is answered as a failure |
| `crash` | `os.abort` |
| `loop` | for ever |
| `grow MIB` | holds so much memory |

What the host refuses comes as Python's own exception. Each exception is answered as a failure: one that leaves
`handle` ends the actor.
"""

import encodings.idna  # noqa: F401  Modules come into the component only where one is imported as it is built.
import json
import os
import socket
import sys
import time
from collections import Counter

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import messaging
from wit_world.imports.types import Error_Denied, Failure, Message

KEPT: list[str] = []


def read(path: str) -> object:
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(line: str) -> object:
    path, text = line.split(" ", 1)
    with open(path, "w", encoding="utf-8") as file:
        return file.write(text)


def nap(milliseconds: str) -> object:
    began, seconds = time.monotonic(), int(milliseconds) / 1_000
    time.sleep(seconds)
    return time.monotonic() - began >= seconds


def say(text: str) -> object:
    print(text, flush=True)
    return True


def connect(line: str) -> object:
    host, port = line.split()
    with socket.create_connection((host, int(port)), timeout=5):
        return True


def send(line: str) -> object:
    to, text = line.split(" ", 1)
    messaging.send(to, text.encode(), "text/plain")
    return True


def ask(line: str) -> object:
    to, text = line.split(" ", 1)
    return messaging.request(to, text.encode(), 5_000).decode()


def keep(text: str) -> object:
    KEPT.append(text)
    return len(KEPT)


def refuse(_: str) -> object:
    raise Err(Failure("refused", "asked to refuse"))


def fall(_: str) -> object:
    raise RuntimeError("asked to raise")


def crash(_: str) -> object:
    os.abort()


def loop(_: str) -> object:
    while True:
        pass


def grow(mebibytes: str) -> object:
    held = [bytearray(1 << 20) for _ in range(int(mebibytes))]
    return len(held)


DOES = {
    "count": lambda text: dict(sorted(Counter(text.split()).items())),
    "read": read,
    "write": write,
    "list": lambda path: sorted(os.listdir(path)),
    "env": lambda name: os.environ.get(name),
    "args": lambda _: sys.argv,
    "nap": nap,
    "random": lambda _: len(os.urandom(8)),
    "print": say,
    "connect": connect,
    "send": send,
    "ask": ask,
    "keep": keep,
    "kept": lambda _: KEPT,
    "refuse": refuse,
    "raise": fall,
    "crash": crash,
    "loop": loop,
    "grow": grow,
}


class Handler(exports.Handler):
    def handle(self, message: Message) -> bytes | None:
        verb, _, rest = message.payload.decode().partition(" ")
        try:
            return json.dumps({verb: DOES[verb](rest)}, separators=(",", ":")).encode()
        except Err as error:
            if isinstance(error.value, Failure):
                raise
            if isinstance(error.value, Error_Denied):
                raise Err(Failure("denied", error.value.value)) from None
            raise Err(Failure("raised", str(error.value))) from None
        except OSError as error:
            code = "denied" if isinstance(error, PermissionError) else "os-error"
            raise Err(Failure(code, str(error))) from None
        except Exception as error:
            raise Err(Failure("raised", f"{type(error).__name__}: {error}")) from None
