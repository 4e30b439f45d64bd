"""How long commits took over the last minute."""

from collections import deque

from models.domain.clock import Clock

SPAN_US = 60_000_000


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
