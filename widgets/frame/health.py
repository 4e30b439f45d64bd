"""What the capture's counters say, as items of the health bar: pure reading, no pixels."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from models.domain.control import Counters, Link, RecorderState

RATE_WINDOW_US = 5_000_000
LAG_LIMIT_US = 2_000_000
FEW_DISK_DAYS = 1 / 24


class Item(StrEnum):
    RECEIVED = "received"  # messages a second
    STORED = "stored"
    LAG = "lag"
    DROPPED = "dropped"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    DUPLICATES = "duplicates"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Health:
    """One look at the capture. `recording`: there is a recorder; `link`: how it stands with its broker. `rate` is messages a
    second over the last seconds, None before two looks."""

    recording: bool
    link: Link
    rate: float | None
    counters: Counters
    store_bytes: int
    disk_days: float | None
    wrong: frozenset[Item]


class HealthReader:
    """Makes `Health` from the states that come, about one a second."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque()  # (monotonic, received)
        self._capture: tuple[int, int] = (0, 0)

    def read(self, state: RecorderState | None, now_us: int) -> Health:
        """`now_us` is monotonic time."""
        if state is None:
            self._seen.clear()
            return Health(False, Link.IDLE, None, Counters(), 0, None, frozenset())
        counters = state.counters
        capture = (state.pid, state.started_us)
        if capture != self._capture or (self._seen and counters.received < self._seen[-1][1]):
            self._seen.clear()  # a new capture counts from zero
            self._capture = capture
        self._seen.append((now_us, counters.received))
        while len(self._seen) > 2 and now_us - self._seen[0][0] > RATE_WINDOW_US:
            self._seen.popleft()
        return Health(True, state.link, self._rate(), counters, state.store_bytes, state.disk_days, _wrong(state))

    def _rate(self) -> float | None:
        (first_us, first), (last_us, last) = self._seen[0], self._seen[-1]
        return (last - first) * 1_000_000 / (last_us - first_us) if last_us > first_us else None


def _wrong(state: RecorderState) -> frozenset[Item]:
    counters = state.counters
    return frozenset(
        item
        for item, is_wrong in (
            (Item.LAG, counters.lag_us > LAG_LIMIT_US),
            (Item.DROPPED, counters.dropped > 0),
            (Item.MISSING, counters.missing > 0 or counters.sessions_lost > 0),
            (Item.UNREADABLE, counters.unreadable > 0),
            (Item.DISK, state.disk_days is not None and state.disk_days < FEW_DISK_DAYS),
        )
        if is_wrong
    )
