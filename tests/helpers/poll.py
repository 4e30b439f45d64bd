"""Waiting until something is so: the only place of the tests that sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(predicate: Callable[[], T], what: str, limit_s: float = 20.0, slice_s: float = 0.01) -> T:
    """Ask `predicate` until its answer is true and return that answer; else an AssertionError that names `what`.

    The limit is generous on purpose: a test that passes is done at once, a slow machine is no failure.
    """
    end_s = time.monotonic() + limit_s
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() >= end_s:
            raise AssertionError(f"not so after {limit_s:g} s: {what} (last answer: {answer!r})")
        time.sleep(slice_s)
