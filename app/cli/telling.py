"""How a command that the window started tells it how far it is: JSON objects on stderr, a line each.

{"progress": {…}} some times a second, {"finding": {…}} for what `verify` met, {"salvaged": {…}} for what it brought back, and at the end {"result": {…}} or
{"problem": {"code", "params"}}.
"""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Mapping

from models.domain.problems import Problem

OPTION = "--tell-json"
EVERY_S = 0.1


def add_option(parser: argparse.ArgumentParser) -> None:
    """For us alone: people get words."""
    parser.add_argument(OPTION, dest="tell_json", action="store_true", help=argparse.SUPPRESS)


def is_told(args: argparse.Namespace) -> bool:
    """Was the command started by the window?"""
    return bool(getattr(args, "tell_json", False))


class Teller:
    """A window that is gone is no reason to stop."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def progress(self, **values: int) -> None:
        """At most ten times a second."""
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + EVERY_S
            self.tell("progress", values)

    def problem(self, problem: Problem) -> None:
        self.tell("problem", {"code": problem.code, "params": dict(problem.params)})

    def tell(self, kind: str, values: Mapping[str, object]) -> None:
        """One line, at once."""
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({kind: values}), file=sys.stderr, flush=True)
