"""Write-ahead logs are copied into their databases beside the thread that commits: it would wait for the disk meanwhile."""

import logging
from concurrent.futures import Executor, Future
from pathlib import Path

import apsw

LOG_PAGES = 4_000  # of 4 KiB: every 16 MB of log, not within every third commit
_MOST_TIMES = 4
_FURTHER_PAGES = 500
_log = logging.getLogger(__name__)


class LogCopying:
    """Instead of the engine's own automatic checkpoints, for one connection. What was committed while the log was copied is
    little, and is copied between two commits, after which the engine begins the log anew. A reader may be in the way of
    that: then it is tried again as the log grows. `aside` is one thread of whoever commits, and ends after `connection`."""

    def __init__(self, connection: apsw.Connection, path: Path, aside: Executor, log_pages: int = LOG_PAGES) -> None:
        self._path, self._aside = path, aside
        self._log_pages = self._due_pages = log_pages
        self._copying: Future[None] | None = None
        connection.set_wal_hook(self._committed)

    def _committed(self, connection: apsw.Connection, _name: str, pages: int) -> int:
        """The engine calls this after every commit, with the length of the log."""
        try:
            self._go_on(connection, pages)
        except (
            apsw.Error
        ) as error:  # an exception would say that the commit failed; whatever is broken fails the next one
            _log.warning("the log of %s cannot be copied into it: %s", self._path, error)
            self._due_pages = pages + self._log_pages
        return apsw.SQLITE_OK

    def _go_on(self, connection: apsw.Connection, pages: int) -> None:
        if pages < self._log_pages:
            self._due_pages = self._log_pages  # it was begun anew
        if self._copying is not None:
            if not self._copying.done() and pages < _MOST_TIMES * self._due_pages:
                return
            copying, self._copying = self._copying, None
            self._due_pages = pages + _FURTHER_PAGES
            if copying.done():
                copying.result()
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        elif pages >= self._due_pages:
            self._copying = self._aside.submit(_copy, self._path)


def _copy(path: Path) -> None:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOMUTEX)
    try:
        connection.pragma("synchronous", "FULL")
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    finally:
        connection.close()
