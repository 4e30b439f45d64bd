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
        self._resumed: dict[int, bool] = {}
        self._epoch = 0

    def new_inbox(self) -> None:
        """The numbers of connections begin anew; what is stored stays known."""
        self._resumed, self._epoch = {}, 0

    def connected(self, epoch: int, *, resumed: bool) -> None:
        """A connection began; tell it before its messages are split."""
        self._resumed[epoch] = resumed

    def split(self, messages: Sequence[RawMessage]) -> tuple[Sequence[RawMessage], int]:
        """Those to store, and the number of those that are stored already (to be acknowledged like the others)."""
        if messages and messages[-1].epoch == self._epoch and not any(message.dup for message in messages):
            return messages, 0
        fresh = [message for message in messages if not self._is_stored(message)]
        return fresh, len(messages) - len(fresh)

    def stored(self, messages: Sequence[RawMessage]) -> None:
        """These were committed."""
        for message in messages:
            if message.packet_id and message.epoch == self._epoch:
                self._stored[message.packet_id] = _crc(message)

    def _is_stored(self, message: RawMessage) -> bool:
        if message.epoch > self._epoch:
            self._enter(message.epoch)
        if not (message.dup and message.packet_id and self._resumed.get(message.epoch)):
            return False
        crc = _crc(message)
        return self._stored.get(message.packet_id) == crc or (message.packet_id, crc) in self._earlier

    def _enter(self, epoch: int) -> None:
        """The first message of a connection. Without a resumed session the broker delivers nothing again."""
        self._epoch = epoch
        if not self._resumed.get(epoch):
            self._stored.clear()
            self._earlier.clear()
        self._resumed = {number: resumed for number, resumed in self._resumed.items() if number >= epoch}


def _crc(message: RawMessage) -> int:
    return zlib.crc32(message.payload, zlib.crc32(message.topic))
