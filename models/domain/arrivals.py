"""What came from a broker, as bytes, on its way into the store; and the port of whoever keeps it safe until it is there."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Source(NamedTuple):
    """Where it came from. `broker` is an address without secrets."""

    broker: str
    client_id: str
    version_5: bool


class Arrival(NamedTuple):
    """Whole PUBLISH packets that came at once. `number` orders all arrivals of a workspace, those of one list of the inbox
    share it; `received_us` is wall time."""

    number: int
    received_us: int
    packets: bytes


class Journal(Protocol):
    """`models.storage.journal.ArrivalJournal`, as far as a connection has to do with it."""

    def next_number(self) -> int:
        """Greater than all before. Any thread."""
        ...

    def keep(self, source: Source, arrivals: Sequence[Arrival]) -> bool:
        """Make them safe: when this returns True, they may be acknowledged. False: not now. Network thread."""
        ...
