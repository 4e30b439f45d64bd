"""Tells the backlog of a resumed session from what is published now."""

import secrets

from models.domain.clock import Clock

PROBE_ROOT = "murmurscope/probe"
LONGEST_BACKLOG_US = 10_000_000


class Probe:
    """A message to ourselves: the broker queues it behind everything it kept for us, so when it returns the backlog is
    over; after ten seconds it is over anyway. Its text is new for each connection: an old one may return as well.
    """

    def __init__(self, client_id: str, clock: Clock) -> None:
        self.topic = topic_of(client_id)
        self.payload = secrets.token_hex(8).encode()
        self._clock = clock
        self._until_us: int | None = None

    def begin(self) -> None:
        """The session was resumed: backlog begins."""
        self._until_us = self._clock.monotonic_us() + LONGEST_BACKLOG_US

    def returned(self, payload: bytes) -> None:
        """Something came on the probe's topic."""
        if payload == self.payload:
            self._until_us = None

    @property
    def backlog(self) -> bool:
        """Does what arrives now come from the queue of the time we were away?"""
        return self._until_us is not None and self._clock.monotonic_us() < self._until_us


def topic_of(client_id: str) -> str:
    """Where a client's probes come and go."""
    return f"{PROBE_ROOT}/{client_id}"
