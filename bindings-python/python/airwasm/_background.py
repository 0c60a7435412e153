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

    def start(self) -> None:
        # Not by the thread itself, which may get to it only when the interpreter exits already.
        atexit.register(self.finish)
        super().start()

    def run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            loop = runner.get_loop()
            loop.run_forever()
            # A handler that ends may cause a message to another, whose task the runner would leave behind.
            while tasks := asyncio.all_tasks(loop):
                for task in tasks:
                    task.cancel()
                loop.run_until_complete(asyncio.wait(tasks))
            loop._airwasm_queue.close()  # type: ignore[attr-defined]
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
