"""A hundred requests at once by asyncio."""

import asyncio
import sys
from pathlib import Path

import airwasm

guests = Path(sys.argv[1] if len(sys.argv) > 1 else "target/guests")


async def main() -> None:
    async with airwasm.System() as system:
        hello = await system.spawn_async(await system.load_async(guests / "hello.wasm"), "hello")
        many = asyncio.gather(*(hello.request_async(b"%d" % n) for n in range(100)))
        # Cancelling a task cancels its request.
        print(len(await asyncio.wait_for(many, timeout=10)), "answers")


asyncio.run(main())
