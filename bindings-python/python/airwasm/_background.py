"""The asyncio loop for `async def` handlers that were given to a system where no loop ran."""

from __future__ import annotations

import asyncio
import atexit
import threading

# How long the interpreter's exit waits for a handler that holds the loop up.
GRACE = 1.0


class Background(threading.Thread):
    """A daemon thread with a loop; it ends with its system, or with the interpreter."""

    def __init__(self) -> None:
        super().__init__(name="airwasm-asyncio", daemon=True)
        self.loop = asyncio.new_event_loop()

    def run(self) -> None:
        atexit.register(self.finish)
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.get_loop().run_forever()
        atexit.unregister(self.finish)

    def stop(self) -> None:
        """Lets the thread end and does not wait for it; a second call does nothing."""
        try:
            self.loop.call_soon_threadsafe(self.loop.stop)
        except RuntimeError:
            pass  # The loop is closed already.

    def finish(self) -> None:
        """Ends it while Python still runs: a thread in the middle of a call does not survive the interpreter."""
        self.stop()
        self.join(GRACE)
