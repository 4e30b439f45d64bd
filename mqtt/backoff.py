"""How long to wait before the next attempt to connect. Pure."""

import random

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
LONGEST_KNOCK_S = 4.0


class Backoff:
    """1, 2, 4 … 30 s, each shortened by chance by up to half, so that a thousand clients do not return at once.

    A connection that broke soon after it was made counts as a failed attempt: a broker that hangs up after each CONNACK
    is asked as rarely as one that refuses us. Steady state: 2 to 4 attempts a minute. Where nobody is there at all, a
    knock costs nobody anything, and whoever comes back shall be met within five seconds: 4 s at most.
    """

    def __init__(self, chance: random.Random | None = None, first_s: float = FIRST_DELAY_S) -> None:
        self._chance = chance or random.Random()
        self._first_s = first_s
        self._failures = 0

    def reset(self) -> None:
        """A connection held, or somebody asked for an attempt now."""
        self._failures = 0

    def next_delay_s(self, *, nobody: bool = False) -> float:
        """`nobody`: the attempt ended before anybody answered it."""
        longest_s = LONGEST_KNOCK_S if nobody else LONGEST_DELAY_S
        delay_s = min(longest_s, self._first_s * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return delay_s * self._chance.uniform(0.5, 1.0)
