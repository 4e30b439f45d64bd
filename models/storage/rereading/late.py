"""Since when values stand under guesses that have names now: kept in the catalogue until that history was read again."""

import apsw

from models.storage.store_errors import problems_of
from models.storage.transaction import transaction
from models.storage.workspace import Workspace

_SINCE, _LEFT = "late_since_us", "late_left_us"
_ASK = "SELECT value FROM workspace WHERE key = ?"
_PUT = "INSERT OR REPLACE INTO workspace(key, value) VALUES (?, ?)"
_SIZE = "SELECT coalesce(sum(bytes), 0) FROM segment WHERE state = 'closed' AND last_us >= ?"


class Late:
    """The thread of the `StoreWriter`; its figures are read by any. Methods raise `EnvironmentProblem` store.*

    `since_us` is the first arrival of such values, `left_us` that of those which are left to the user (0: there are none).
    `times` counts how often some were noticed.
    """

    def __init__(self, workspace: Workspace, catalogue: apsw.Connection) -> None:
        self._workspace, self._catalogue = workspace, catalogue
        self.since_us, self.left_us = self._stored(_SINCE), self._stored(_LEFT)
        self.times = 0
        self._meanwhile_us = 0  # those noticed since history is being read again
        self._span_us = (0, 0)

    def note(self, since_us: int) -> None:
        """Before what names them is stored, so that no kill between the two leaves the guesses. 0: nothing."""
        if since_us:
            self.times += 1
            self._meanwhile_us = _first(self._meanwhile_us, since_us)
            self._put(_first(self.since_us, since_us), self.left_us)

    def leave(self) -> None:
        """It is too much to be read again unasked."""
        self._put(0, _first(self.left_us, self.since_us))

    def begin(self, since_us: int, until_us: int) -> None:
        """History of [since, until) is being read again (0: open end)."""
        self._meanwhile_us, self._span_us = 0, (since_us, until_us)

    def done(self) -> None:
        """It is."""
        since_us, until_us = self._span_us
        if not until_us:
            left_us = 0 if since_us <= self.left_us else self.left_us
            self._put(self._meanwhile_us if since_us <= self.since_us else self.since_us, left_us)

    def size_bytes(self) -> int:
        """Of the closed segments to be read again."""
        with problems_of(self._workspace.catalogue):
            return int(next(iter(self._catalogue.execute(_SIZE, (self.since_us,))))[0])

    def _stored(self, key: str) -> int:
        return next((int(value) for (value,) in self._catalogue.execute(_ASK, (key,))), 0)

    def _put(self, since_us: int, left_us: int) -> None:
        if (since_us, left_us) == (self.since_us, self.left_us):
            return
        with problems_of(self._workspace.catalogue), transaction(self._catalogue):
            self._catalogue.executemany(_PUT, [(_SINCE, str(since_us)), (_LEFT, str(left_us))])
        self.since_us, self.left_us = since_us, left_us


def _first(one_us: int, other_us: int) -> int:
    return min(one_us, other_us) if one_us and other_us else one_us or other_us
