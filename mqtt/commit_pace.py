"""When to commit: the rule that keeps a broker's window open without committing for every message. Pure."""

from models.domain.clock import Clock

LONGEST_WAIT_US = 50_000
STRETCHED_WAIT_US = 200_000
QUIET_US = 5_000
BRIEFLY_QUIET_US = 500
_LEAST_WINDOW = 10  # the smallest that a broker is known to have by itself (RabbitMQ)
_GAPS = 4
_COMMITS_PER_WAIT = 2  # a wait lasts at least two commits, so that committing takes at most a third of the time
_SMOOTHING = 4  # the newest commit counts a quarter
_TIMES_ALIKE = 3


class CommitPace:
    """Says when the messages that wait should be taken and stored.

    A broker stops sending when its window is full of messages that we have not acknowledged, and drops what it cannot
    queue. Where the window is known, half of it decides; where not (MQTT 3.1.1: 20 on Mosquitto, 10 on RabbitMQ) a
    short silence says that it may be full: where as many wait as may fill a window, it need last no longer than four times
    the time between two of them. A broker may also have a limit of its own below the window that it was granted
    (EMQX: 32): where it falls silent at the same number of messages time after time, that number is taken for the limit,
    and so many are due at once. More than that at a time disprove it. One thread at a time; the caller holds a lock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._window: int | None = None
        self._first_us: int | None = None
        self._last_us = 0
        self._to_acknowledge = 0
        self._commit_us = 0
        self._limit: int | None = None  # of the broker's own, as it seems
        self._silent_at = self._alike = 0  # the number at which it fell silent, and how often in a row

    def window(self, size: int | None) -> None:
        """How many unacknowledged messages the broker sends before it waits; None: nobody knows, probably few."""
        self._window = size
        self._limit, self._alike = None, 0

    def arrived(self, to_acknowledge: int) -> None:
        """Messages came, `to_acknowledge` of them at QoS 1."""
        self._last_us = self._clock.monotonic_us()
        self._to_acknowledge += to_acknowledge
        if self._first_us is None:
            self._first_us = self._last_us
        if self._limit is not None and self._to_acknowledge > self._limit:
            self._limit, self._alike = None, 0

    @property
    def quiet_us(self) -> int:
        """How long nothing must come until the window may be thought full, where nobody knows it."""
        if self._first_us is None or self._to_acknowledge < _LEAST_WINDOW:
            return QUIET_US
        gap_us = (self._last_us - self._first_us) // (self._to_acknowledge - 1)
        return min(QUIET_US, max(BRIEFLY_QUIET_US, _GAPS * gap_us))

    def waiting(self, first_us: int | None, to_acknowledge: int) -> None:
        """What still waits after some were taken or dropped: when the oldest came, and how many at QoS 1."""
        quiet_us = self.quiet_us if self._window is None else QUIET_US
        if first_us is None and self._to_acknowledge and self._clock.monotonic_us() - self._last_us >= quiet_us:
            self._fell_silent_at(self._to_acknowledge)
        self._first_us, self._to_acknowledge = first_us, to_acknowledge

    def _fell_silent_at(self, number: int) -> None:
        self._alike = self._alike + 1 if number == self._silent_at else 1
        self._silent_at = number
        if self._alike >= _TIMES_ALIKE:
            self._limit = number

    def commit_took(self, duration_us: int) -> None:
        """Slow commits stretch the wait."""
        self._commit_us += (duration_us - self._commit_us) // _SMOOTHING if self._commit_us else duration_us

    @property
    def longest_wait_us(self) -> int:
        return min(STRETCHED_WAIT_US, max(LONGEST_WAIT_US, _COMMITS_PER_WAIT * self._commit_us))

    def due_in_us(self) -> int | None:
        """0: commit now; None: nothing waits; else look again after so long, or when told of an arrival."""
        if self._first_us is None:
            return None
        if self.urgent:
            return 0
        due_us = self._first_us + self.longest_wait_us
        if self._window is None and self._to_acknowledge:
            due_us = min(due_us, self._last_us + self.quiet_us)
        return max(0, due_us - self._clock.monotonic_us())

    @property
    def narrow(self) -> bool:
        """May the window be so small that the broker waits for us all the time?"""
        return self._window is None or self._limit is not None

    @property
    def urgent(self) -> bool:
        """Is half the window used up, or all that the broker sends at a time there, so that whoever waits for the time should
        be woken?"""
        if self._limit is not None and self._to_acknowledge >= self._limit:
            return True
        return self._window is not None and self._to_acknowledge * 2 >= self._window
