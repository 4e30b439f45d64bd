"""Finds messages that the broker delivers once more although they are stored: their acknowledgement did not reach it."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from operator import attrgetter

from models.domain.batch import RecordBatch
from models.domain.messages import RawMessage

_dup = attrgetter("dup")


class Redelivery:
    """Remembers, per packet id, the CRC of what was stored last. Ingest thread only.

    A broker uses a packet id again only after our acknowledgement reached it, so what was stored last under an id is the
    only message that can come again under it; and whatever comes again says so (DUP). A broker that forgot our session
    begins anew without DUP.
    """

    def __init__(self, stored: Iterable[tuple[int, int]] = ()) -> None:
        """`stored`: packet id and CRC-32 of topic and payload of what an earlier run stored, maybe without acknowledging."""
        self._earlier = set(stored)
        self._stored: dict[int, int] = {}

    def split(self, messages: Sequence[RawMessage]) -> tuple[Sequence[RawMessage], int]:
        """Those to store, and the number of those that are stored already (to be acknowledged like the others)."""
        if not any(map(_dup, messages)):
            return messages, 0
        fresh: list[RawMessage] = []
        here: dict[int, int] = {}  # as `_stored`, of these: the store may have been unable to take any for long
        for message in messages:
            if not self._is_stored(message, here):
                fresh.append(message)
                if message.packet_id:
                    here[message.packet_id] = _crc(message)
        return fresh, len(messages) - len(fresh)

    def stored(self, batch: RecordBatch) -> None:
        """These were committed."""
        packets = batch.columns.packet_id
        self._stored.update(compress(zip(packets, batch.checksums, strict=True), packets))

    def _is_stored(self, message: RawMessage, here: Mapping[int, int]) -> bool:
        """Stored, or about to be with the messages `here`?"""
        if not (message.dup and message.packet_id):
            return False
        known, crc = here.get(message.packet_id, self._stored.get(message.packet_id)), _crc(message)
        return known == crc if known is not None else (message.packet_id, crc) in self._earlier


def _crc(message: RawMessage) -> int:
    return zlib.crc32(message.payload, zlib.crc32(message.topic))
