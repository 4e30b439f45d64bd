"""What is declared only after the values that it speaks of, found beforehand where all messages are there already: in a file of
recorded traffic, and in history that is read again. With it the values have their names from the first one on.

Of each topic the earliest declaration counts for what came before it. Births of Sparkplug are none of these: what they say holds
from then on, and an alias may have meant something else before.
"""

from collections.abc import Collection

from models.domain.crowd import MOST_REMEMBERED, MOST_REMEMBERED_BYTES
from models.domain.messages import Origin, RawMessage
from mqtt.reading.reader import Reader


class Foretelling:
    """One thread. Bounded as what is remembered."""

    def __init__(self, reader: Reader) -> None:
        """`reader`: with names of its own, which nobody else uses."""
        self._reader = reader
        self._first: dict[bytes, RawMessage] = {}
        self._bytes = 0

    def speaks_on(self, topic: bytes) -> bool:
        """Whether its messages declare what others mean."""
        return self._reader.declares(topic)

    def hear(self, message: RawMessage) -> None:
        """One on such a topic."""
        known = self._first.get(message.topic)
        if not message.payload or (known is not None and known.received_us <= message.received_us):
            return
        total = self._bytes - (0 if known is None else len(known.payload)) + len(message.payload)
        full = total > MOST_REMEMBERED_BYTES or (known is None and len(self._first) >= MOST_REMEMBERED)
        if not full and self._reader.read([message._replace(origin=Origin.REPLAY)]).remembered:
            self._first[message.topic], self._bytes = message, total

    def told(self, known: Collection[bytes]) -> list[RawMessage]:
        """For `Reader.foretell`, but for topics of which something was declared before."""
        some = (one for topic, one in self._first.items() if topic not in known)
        return sorted(some, key=lambda one: one.received_us)
