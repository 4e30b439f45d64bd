"""A clock that moves only when told."""

FIRST_WALL_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


class FakeClock:
    """Wall and monotonic microseconds for code that takes its clock by constructor."""

    def __init__(self, wall_us: int = FIRST_WALL_US, monotonic_us: int = 1_000_000) -> None:
        self._wall_us = wall_us
        self._monotonic_us = monotonic_us

    def wall_us(self) -> int:
        return self._wall_us

    def monotonic_us(self) -> int:
        return self._monotonic_us

    def advance(self, us: int) -> None:
        """Let time pass: both clocks go on."""
        if us < 0:
            raise ValueError("time does not run backwards; step_wall() sets the wall clock back")
        self._wall_us += us
        self._monotonic_us += us

    def step_wall(self, us: int) -> None:
        """Set the wall clock forward or back, as a correction from the network does; no time passes."""
        self._wall_us += us
