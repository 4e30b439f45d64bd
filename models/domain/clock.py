"""Time as the program sees it: wall time for records, monotonic time for intervals. Injected everywhere, never global."""

import time
from typing import NamedTuple, Protocol, Self


class Clock(Protocol):
    """Both clocks in whole microseconds. Any thread."""

    def wall_us(self) -> int:
        """Microseconds since the Unix epoch, UTC; may step when somebody sets the clock."""
        ...

    def monotonic_us(self) -> int:
        """Microseconds from an arbitrary origin; never steps. The only clock for intervals."""
        ...


class SystemClock:
    """The clocks of this computer."""

    def wall_us(self) -> int:
        return time.time_ns() // 1_000

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1_000


class Instant(NamedTuple):
    """One moment on both clocks: `wall_us` goes into records, `monotonic_us` into intervals."""

    wall_us: int
    monotonic_us: int

    @classmethod
    def now(cls, clock: Clock) -> Self:
        return cls(clock.wall_us(), clock.monotonic_us())
