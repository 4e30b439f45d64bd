"""Messages again, of what an earlier run acknowledged and did not come to store."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from models.domain.arrivals import Arrival, Source
from models.domain.messages import Origin, RawMessage
from mqtt.demux_packets import Splitter
from mqtt.demux_properties import Malformed
from mqtt.probe import topic_of

PORTION = 5_000


class Portion(NamedTuple):
    """So many as are stored at once. `to` is the number of the last arrival."""

    messages: list[RawMessage]
    to: int


def portions(source: Source, arrivals: Iterable[Arrival], on_malformed: Callable[[Arrival], None]) -> Iterator[Portion]:
    """In the order of arrival. They came before now, so none of them speaks for the present; and nobody waits for their
    acknowledgement. `on_malformed` is told, with the exception at hand, of an arrival that cannot be read to its end: only a
    mistake of ours makes one, and what stands before and behind it must come in all the same."""
    splitter = Splitter(0, topic_of(source.client_id).encode(), _passes, version_5=source.version_5)
    splitter.origin = Origin.BACKLOG
    number = 0
    for arrival in arrivals:
        if len(splitter.messages) >= PORTION and arrival.number != number:
            yield Portion(splitter.messages, number)
            splitter.messages = []
        try:
            splitter.split(arrival.packets, 0, arrival.received_us)
        except Malformed:
            on_malformed(arrival)
        number = arrival.number
    if splitter.messages:
        yield Portion(splitter.messages, number)


def _passes(_payload: bytes, _packet_id: int, _qos: int) -> Origin:
    return Origin.BACKLOG
