"""Messages that later ones cannot be read without: the last one of each topic is kept in the catalogue. Segments mark them, so
that taking a segment in finds them again; how many there may be is `mqtt.reading`'s to say, before they are marked."""

from collections.abc import Iterable, Mapping
from typing import Any

import apsw

from models.domain.messages import Origin, RawMessage
from models.storage.segments import message_properties

Remembered = Mapping[int, tuple[Any, ...]]
"""By topic: topic, arrival, properties, payload."""
_KNOWN = "SELECT 1 FROM remembered WHERE topic_id = ? AND received_us > ?"
_PUT = "INSERT OR REPLACE INTO remembered(topic_id, received_us, properties, payload) VALUES (?, ?, ?, ?)"
_FORGET = "DELETE FROM remembered WHERE topic_id = ?"
_ALL = """SELECT name, payload, properties, received_us FROM remembered JOIN topic ON topic.id = topic_id
    ORDER BY received_us, topic_id"""


def put_remembered(catalogue: apsw.Connection, found: Remembered, *, imported: bool) -> None:
    """Part of the transaction that notes the batches as taken in. What was imported takes the place of nothing newer."""
    rows: Iterable[tuple[Any, ...]] = found.values()
    if imported:
        rows = [row for row in rows if not catalogue.execute(_KNOWN, row[:2]).fetchall()]
    catalogue.executemany(_PUT, [row for row in rows if row[3]])
    catalogue.executemany(_FORGET, [row[:1] for row in rows if not row[3]])


def latest(before: Remembered, after: Remembered) -> Remembered:
    """Both, of each topic the message that arrived last: in an import time may begin again."""
    return {**before, **{key: row for key, row in after.items() if key not in before or row[1] >= before[key][1]}}


def read_remembered(catalogue: apsw.Connection) -> list[RawMessage]:
    """All of them, oldest first, as a broker that replays them would send them."""
    rows: list[Any] = catalogue.execute(_ALL).fetchall()
    return [
        RawMessage(
            topic, payload, 0, True, False, 0, message_properties.decode(properties), received_us, Origin.REPLAY, 0
        )
        for topic, payload, properties, received_us in rows
    ]
