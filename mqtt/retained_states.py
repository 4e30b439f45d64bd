"""Retained messages of topics that told presence, had by name from a broker that hands none to wildcards (RabbitMQ, AWS)."""

from collections.abc import Callable, Sequence

from paho.mqtt.client import topic_matches_sub

MOST_STATES = 2_000
QUIET_US = 2_000_000
"""A broker that hands retained messages to wildcards sends the first of them at once."""
AT_ONCE = 8
"""In one packet; AWS takes no more."""

KnownStates = Callable[[int], Sequence[bytes]]
"""So many topics that told presence, the last heard first. Called in the network thread; must not wait for long."""


class RetainedStates:
    """One for a connection whose session is new. Each topic is subscribed to and let go of in the next step: with MQTT 5 a broker
    may deliver a message once for each subscription that it matches, as Mosquitto does, and nothing shall be counted twice.
    """

    def __init__(self, known: KnownStates, now_us: int) -> None:
        self._known = known
        self._due_us: int | None = now_us + QUIET_US
        self._waiting: list[str] = []
        self._asked: list[str] = []

    @property
    def begun(self) -> bool:
        return self._due_us is None

    def begins(self, now_us: int, filters: Sequence[str]) -> bool:
        """Is it time? Then with the topics that these filters bring anyway: nothing else is to be heard."""
        if self._due_us is None or now_us < self._due_us:
            return False
        self._due_us = None
        known = (_text(topic) for topic in self._known(MOST_STATES))
        self._waiting = [one for one in known if one not in filters and _matched(one, filters)]
        return bool(self._waiting)

    def step(self) -> tuple[list[str], list[str]]:
        """Topics to let go of, and those to subscribe to now; the next step follows their SUBACK. Both empty: that is all."""
        leaves, self._asked = self._asked, self._waiting[:AT_ONCE]
        del self._waiting[:AT_ONCE]
        return leaves, self._asked


def _text(topic: bytes) -> str:
    """Empty where it cannot be subscribed to."""
    text = topic.decode(errors="ignore")
    return text if text.encode() == topic and not {"+", "#", "\0"} & set(text) else ""


def _matched(topic: str, filters: Sequence[str]) -> bool:
    return bool(topic) and any(topic_matches_sub(one, topic) for one in filters)
