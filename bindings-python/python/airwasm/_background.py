"""The asyncio loop for `async def` handlers that were given to a system where no loop ran."""

from __future__ import annotations

import asyncio
import threading


class Background(threading.Thread):
    """A daemon thread with a loop; it ends with its system, or with the interpreter."""

    def __init__(self) -> None:
        super().__init__(name="airwasm-asyncio", daemon=True)
        self.loop = asyncio.new_event_loop()

    def run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.get_loop().run_forever()

    def stop(self) -> None:
        """Lets the thread end and does not wait for it; a second call does nothing."""
        try:
            self.loop.call_soon_threadsafe(self.loop.stop)
        except RuntimeError:
            pass  # The loop is closed already.
