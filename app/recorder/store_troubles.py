"""What is told of the store: why nothing can be stored, what it mended by itself, what keeps it from its upkeep."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, Problem

RETRY_S = 1.0
MOST_MENDED = 8
_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)


class StoreTroubles:
    """Noted by the ingest thread, told to any."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mended: tuple[Problem, ...] = ()
        self._hindered: Problem | None = None
        self.problem: Problem | None = None
        """Why nothing can be stored at present."""

    def insist(
        self, action: Callable[[], _T], finishing: threading.Event, meanwhile: Callable[[], None]
    ) -> _T | None:  # fmt: skip
        """Do it as soon as the store can, with `meanwhile` before each further try; None where we had to end before."""
        while True:
            try:
                done = action()
            except EnvironmentProblem as error:
                if finishing.is_set():
                    return None
                self.cannot_store(error.problem)
            else:
                self.problem = None
                return done
            meanwhile()
            finishing.wait(RETRY_S)

    def cannot_store(self, problem: Problem) -> None:
        """It is tried again after `RETRY_S`."""
        if self.problem is None or self.problem.code != problem.code:
            _LOG.error("nothing can be stored: %s", problem.sentence())
        self.problem = Problem(problem.code, problem.params, self._clock.wall_us() + int(RETRY_S * 1e6))

    def upkeep(self, work: Callable[[], None]) -> None:
        """What keeps it from being done is told; a later call does it."""
        try:
            work()
        except EnvironmentProblem as error:
            if error.problem != self._hindered:
                _LOG.warning("housekeeping of the store has to wait: %s", error)
            self._hindered = error.problem
        else:
            self._hindered = None

    def note_mended(self, problems: list[Problem]) -> None:
        """Takes them over: the list is empty afterwards."""
        for problem in problems:
            _LOG.error("%s", problem.sentence())
        if problems:
            self._mended = (*self._mended, *problems)[-MOST_MENDED:]
            problems.clear()

    def warnings(self) -> tuple[Problem, ...]:
        """Beside `problem`, and not the same once more."""
        hindered, problem = self._hindered, self.problem
        if hindered is None or (problem is not None and problem.code == hindered.code):
            return self._mended
        return (*self._mended, hindered)
