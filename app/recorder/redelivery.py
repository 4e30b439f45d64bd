"""Finds messages that the broker delivers once more although they are stored: their acknowledgement did not reach it."""

import zlib
from collections.abc import Iterable, Sequence

from models.domain.messages import RawMessage


class Redelivery:
    """Remembers, per packet id, the CRC of what was stored last. Ingest thread only.

    On a live session a broker uses a packet id again only after our acknowledgement reached it, so what was stored last
    under an id is the only message that can come again under it.
    """

    def __init__(self, stored: Iterable[tuple[int, int]] = ()) -> None:
        """`stored`: packet id and CRC-32 of topic and payload of what an earlier run stored, maybe without acknowledging."""
        self._earlier = set(stored)
        self._stored: dict[int, int] = {}
        self._resumed_epochs: set[int] = set()

    def connected(self, epoch: int, *, resumed: bool) -> None:
        """A connection began. Without a resumed session the broker knows of nothing to deliver again."""
        if resumed:
            self._resumed_epochs = {epoch}
        else:
            self._resumed_epochs = set()
            self._earlier.clear()
            self._stored.clear()

    def split(self, messages: Sequence[RawMessage]) -> tuple[Sequence[RawMessage], int]:
        """Those to store, and the number of those that are stored already (to be acknowledged like the others)."""
        if not any(message.dup for message in messages):
            return messages, 0
        fresh = [message for message in messages if not self._is_stored(message)]
        return fresh, len(messages) - len(fresh)

    def stored(self, messages: Sequence[RawMessage]) -> None:
        """These were committed."""
        for message in messages:
            if message.packet_id:
                self._stored[message.packet_id] = _crc(message)

    def _is_stored(self, message: RawMessage) -> bool:
        if not (message.dup and message.packet_id and message.epoch in self._resumed_epochs):
            return False
        crc = _crc(message)
        return self._stored.get(message.packet_id) == crc or (message.packet_id, crc) in self._earlier


def _crc(message: RawMessage) -> int:
    return zlib.crc32(message.payload, zlib.crc32(message.topic))
