"""Writes what was stored since the last time to the folder, and knows how far it is behind."""

import logging
import os
from collections.abc import Callable

from app.files.folder import FilesFolder
from app.files.options import FilesOptions
from app.files.status import FilesStatus
from app.files.tidy import compress_one, remove_beyond
from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.storage.history.follow import TABLES, Follower

SAVE_BYTES = 16 * 1024 * 1024
BEAT_US = 1_000_000
ROUND_US = 2_000_000  # then others are let at the store's files, and how far we are is told
_LOG = logging.getLogger(__name__)


class Filer:
    """Call `round` about every second, and again at once while there is more; `end` once. One thread."""

    def __init__(
        self, follower: Follower, folder: FilesFolder, options: FilesOptions, clock: Clock, tell: Callable[[FilesStatus], None],
        entered: Callable[[], None], is_ending: Callable[[], bool],
    ) -> None:  # fmt: skip
        """`tell` gets the status about every second, also within a long round; `entered` is called when the folder has its
        cursor; `is_ending`: leave for later what can wait."""
        self._follower = follower
        self._folder = folder
        self._options = options
        self._clock = clock
        self._tell = tell
        self._entered = entered
        self._is_ending = is_ending
        self._problem: Problem | None = None
        self._behind = self._gone = 0
        self._told_us = 0

    def look(self) -> None:
        """Let go of what nobody writes any more. Call it some times a second."""
        try:
            self._follower.look()
        except EnvironmentProblem as error:
            self._hinder(error.problem)

    def round(self, limit_us: int = ROUND_US) -> bool:
        """Write what was stored, as far as it goes within `limit_us`, and tidy the folder up. True: there is more. What the
        folder or the store refuse is told, and tried again by the next round."""
        whole = True
        try:
            if not self._folder.is_entered():
                self._folder.enter()
                self._entered()
            whole = self._write(self._clock.monotonic_us() + limit_us)
            self._tidy()
        except EnvironmentProblem as error:
            self._hinder(error.problem)
        except OSError as error:
            detail = error.strerror or str(error)
            self._hinder(trouble("files.hindered", path=str(self._options.folder), detail=detail, count=0).problem)
        else:
            self._problem = None
        self._measure()
        self._beat(at_once=True)
        return not whole

    def end(self, limit_us: int) -> None:
        """A last round, and let go of everything."""
        self.round(limit_us)
        self._follower.close()
        self._folder.leave()

    def _write(self, end_us: int) -> bool:
        """False: there was no time for all."""
        unsaved = 0
        for piece in self._follower.pieces(self._folder.cursor.place):
            self._folder.write(piece)
            unsaved += sum(map(len, piece.lines))
            if unsaved > SAVE_BYTES:
                self._folder.save()
                unsaved = 0
            self._beat()
            if self._clock.monotonic_us() > end_us:
                self._folder.save()
                return False
        self._folder.save()
        return True

    def _tidy(self) -> None:
        folder, options = self._folder, self._options
        if not folder.is_untidy or self._is_ending():
            return
        self._follower.close()  # it takes a while, and nobody shall wait for us
        room_bytes = len(TABLES) * options.file_bytes
        folder.cursor.removed += remove_beyond(folder, options.total_bytes, room_bytes)
        while compress_one(folder, self._must_stop):
            pass
        folder.cursor.removed += remove_beyond(folder, options.total_bytes, room_bytes)
        folder.is_untidy = self._is_ending()

    def _must_stop(self) -> bool:
        self._beat()
        return self._is_ending()

    def _hinder(self, problem: Problem) -> None:
        if self._problem is None or self._problem.code != problem.code:
            _LOG.warning("%s", problem.sentence())
        self._problem = problem
        self._folder.leave()

    def _measure(self) -> None:
        try:
            self._behind, self._gone = self._follower.behind(self._folder.cursor.place)
        except EnvironmentProblem as error:
            self._problem = error.problem
        problem = self._problem
        if problem is not None and problem.code == "files.hindered":
            self._problem = Problem(problem.code, {**problem.params, "count": self._behind})

    def _beat(self, *, at_once: bool = False) -> None:
        now_us = self._clock.monotonic_us()
        if not at_once and now_us - self._told_us < BEAT_US:
            return
        self._told_us = now_us
        cursor = self._folder.cursor
        self._tell(
            FilesStatus(
                os.getpid(), self._clock.wall_us(), str(self._options.folder), self._options.format, dict(cursor.rows),
                self._behind, cursor.lost + self._gone, cursor.removed, self._problem,
            )
        )  # fmt: skip
