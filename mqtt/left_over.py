"""Messages again, of what an earlier run acknowledged and did not come to store."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from models.domain.arrivals import Arrival, Source
from models.domain.messages import Origin, RawMessage
from mqtt.demux_packets import Splitter
from mqtt.probe import topic_of

PORTION = 5_000


class Portion(NamedTuple):
    """So many as are stored at once. `to` is the number of the last arrival."""

    messages: list[RawMessage]
    to: int


def portions(source: Source, arrivals: Iterable[Arrival]) -> Iterator[Portion]:
    """In the order of arrival. They came before now, so none of them speaks for the present; and nobody waits for their
    acknowledgement. Pure."""
    splitter = Splitter(0, topic_of(source.client_id).encode(), _passes, version_5=source.version_5)
    splitter.origin = Origin.BACKLOG
    number = 0
    for arrival in arrivals:
        if len(splitter.messages) >= PORTION and arrival.number != number:
            yield Portion(splitter.messages, number)
            splitter.messages = []
        splitter.split(arrival.packets, 0, arrival.received_us)
        number = arrival.number
    if splitter.messages:
        yield Portion(splitter.messages, number)


def _passes(_payload: bytes, _packet_id: int, _qos: int) -> Origin:
    return Origin.BACKLOG
