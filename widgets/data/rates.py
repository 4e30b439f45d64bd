"""How much is stored each second, from what the tail tells."""

from collections import deque

WINDOW_US = 10_000_000
_SETTLES_US = 3_000_000


class Rates:
    """Over the last ten seconds. Times are monotonic µs."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int, int]] = deque()
        self._since_us: int | None = None

    def note(self, at_us: int, messages: int, samples: int) -> None:
        """So many were committed since the last time."""
        if self._since_us is None:
            self._since_us = at_us
            return  # how long this took to gather is not known
        self._seen.append((at_us, messages, samples))
        self._forget(at_us)

    def at(self, now_us: int) -> tuple[float, float] | None:
        """Messages and samples a second; None: not watched for long enough."""
        if self._since_us is None or now_us - self._since_us < _SETTLES_US:
            return None
        self._forget(now_us)
        span_s = min(WINDOW_US, now_us - self._since_us) / 1e6
        return sum(one for _, one, _ in self._seen) / span_s, sum(one for _, _, one in self._seen) / span_s

    def _forget(self, now_us: int) -> None:
        while self._seen and self._seen[0][0] < now_us - WINDOW_US:
            self._seen.popleft()
