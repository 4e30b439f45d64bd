"""What other threads want done by the one that stores, between two batches of live traffic."""

import queue
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from models.domain.clock import Clock

BREATHERS = 3
_T = TypeVar("_T")


class Jobs:
    """`ask`: any thread. All else: the thread that stores."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._next_us = 0

    def ask(self, job: Callable[[], _T]) -> Future[_T]:
        """Have it done soon; what it raises, the future raises."""
        done: Future[_T] = Future()

        def carry_out() -> None:
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001 - raised where it was asked for
                done.set_exception(error)
            else:
                done.set_result(result)

        self._waiting.put(carry_out)
        return done

    def carry_out_one(self, *, waited_for: bool) -> bool:
        """The next one, if it is time; answers whether more are waiting. `waited_for`: the broker sends but a few messages
        before it waits for us, and drops what it cannot queue. Then it gets three times as long as the job took."""
        began_us = self._clock.monotonic_us()
        if self._waiting.empty() or began_us < self._next_us:
            return False
        self._waiting.get_nowait()()
        if waited_for:
            now_us = self._clock.monotonic_us()
            self._next_us = now_us + BREATHERS * (now_us - began_us)
        return not self._waiting.empty()

    def carry_out_all(self) -> None:
        """At the end, and while live traffic has to wait anyway."""
        while not self._waiting.empty():
            self._waiting.get_nowait()()
