"""What was stored in this run, and how long commits took over the last minute."""

from collections import deque

from app.recorder.gaps import MissingCount
from models.domain.batch import RecordBatch
from models.domain.clock import Clock
from models.domain.control import Counters

SPAN_US = 60_000_000


class Tally:
    """Ingest thread only, but for `counters`."""

    def __init__(self, clock: Clock) -> None:
        self.received = 0  # taken from the inbox
        self._stored = self._duplicates = self._unreadable = self._dropped = self._bytes = 0
        self._missing = MissingCount()
        self._figures = CommitFigures(clock)
        self._quantiles_us = 0, 0

    def add(self, batch: RecordBatch, duration_us: int) -> None:
        """It was committed."""
        self._figures.add(duration_us)
        self._stored += len(batch.messages)
        self._bytes += sum(map(len, batch.columns.payload))
        self._duplicates += batch.duplicates
        self._dropped += batch.dropped
        self._missing.add(batch.gaps)
        self._unreadable += len(batch.unreadable)

    def rank(self) -> None:
        """Bring the quantiles of the commits' durations up to date. About once a second."""
        self._quantiles_us = self._figures.quantiles_us()

    def counters(self, lag_us: int) -> Counters:
        """As of the last commit. Any thread."""
        p50_us, p99_us = self._quantiles_us
        return Counters(
            received=self.received, stored=self._stored, duplicates=self._duplicates, unreadable=self._unreadable,
            dropped=self._dropped, bytes=self._bytes, lag_us=lag_us, commit_p50_us=p50_us, commit_p99_us=p99_us,
            missing=self._missing.messages, sessions_lost=self._missing.sessions,
        )  # fmt: skip


class CommitFigures:
    """Ingest thread only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._durations: deque[tuple[int, int]] = deque()

    def add(self, duration_us: int) -> None:
        self._durations.append((self._clock.monotonic_us(), duration_us))

    def quantiles_us(self) -> tuple[int, int]:
        """Median and 99th percentile in µs (nearest rank); 0, 0 where nothing was committed."""
        oldest_us = self._clock.monotonic_us() - SPAN_US
        while self._durations and self._durations[0][0] < oldest_us:
            self._durations.popleft()
        if not self._durations:
            return 0, 0
        ranked = sorted(duration_us for _, duration_us in self._durations)
        last = len(ranked) - 1
        return ranked[last // 2], ranked[-(-99 * last // 100)]
