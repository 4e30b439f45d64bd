"""Lines that a program writes into two files at once: winston's error file beside its combined one, both followed.

The line of the second file is stored and derives nothing. Only a line that carries its own time is recognised again: the
same event, to the millisecond. A line that comes twice in one file is two events.
"""

from collections.abc import Hashable
from itertools import islice

MOST_LINES = 16_384
"""So far back a line is remembered: more than a follower reads of one file before it looks at the next."""


class Copies:
    """The last lines of all followed files; those known longest are forgotten first."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, dict[int, int]] = {}  # (follower, line) -> file's topic -> how often

    def repeated(self, follower: int, topic: int, line: bytes) -> bool:
        """Note a line; True where another file of this follower brought it as often already."""
        key = follower, hash(line)
        counts = self._lines.get(key)
        if counts is None:
            if len(self._lines) >= MOST_LINES:
                for old in list(islice(self._lines, MOST_LINES // 8)):
                    del self._lines[old]
            self._lines[key] = {topic: 1}
            return False
        before = max(counts.values())
        counts[topic] = here = counts.get(topic, 0) + 1
        return here <= before
