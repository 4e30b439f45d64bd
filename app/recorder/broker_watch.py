"""What the broker tells of itself below `$SYS`, for whoever asks the recorder how it is."""

from collections.abc import Sequence
from dataclasses import replace

from models.domain.control import BrokerFigures
from models.domain.messages import RawMessage
from mqtt.reading.decode import read_text
from mqtt.reading.generic_numbers import read_number
from mqtt.reading.plan import Unread

_ROOT, _CLUSTER = b"$SYS/", "brokers"
_FIGURES = {
    "version": "version", "uptime": "uptime", "clients/connected": "clients", "stats/connections/count": "clients",
    "load/messages/received/1min": "received", "load/messages/sent/1min": "sent",
}  # fmt: skip
LONGEST_VERSION = 80
MOST_NODES = 100
_MOST = 1e9
"""More than any broker counts of clients, seconds or messages a minute."""


class BrokerWatch:
    """Ingest thread; `figures` may be read by any. What is retained counts as well: it is how the broker is."""

    def __init__(self) -> None:
        self.figures = BrokerFigures()
        self._clients: dict[str, int] = {}  # of each node of a cluster

    def take(self, messages: Sequence[RawMessage]) -> None:
        """Look for news among these."""
        for message in messages:
            if message.topic.startswith(_ROOT):
                self._take(message)

    def _take(self, message: RawMessage) -> None:
        _, root, *path = message.topic.decode("utf-8", "replace").split("/")
        node = path.pop(0) if root == _CLUSTER and path else ""
        told = _FIGURES.get("/".join(path))
        try:
            text = read_text(message.payload) if told else ""
        except Unread:
            return  # stored as it is
        if told == "version":
            self.figures = replace(self.figures, version=text[:LONGEST_VERSION])
            return
        number = read_number(text)
        if number is not None and 0 <= number[0] <= _MOST:
            self._take_number(told, node, number[0], message.received_us)

    def _take_number(self, told: str | None, node: str, value: float, received_us: int) -> None:
        match told:
            case "uptime":
                self.figures = replace(self.figures, started_us=received_us - round(value * 1e6))
            case "clients" if node in self._clients or len(self._clients) < MOST_NODES:
                self._clients[node] = int(value)
                self.figures = replace(self.figures, clients=sum(self._clients.values()))
            case "received":
                self.figures = replace(self.figures, received_per_min=value)
            case "sent":
                self.figures = replace(self.figures, sent_per_min=value)
