"""A closed segment as what it was made of: commits with their messages, and what no message told."""

import contextlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.messages import Origin, RawMessage
from models.domain.records import Gap, GapCause
from models.storage.sealing.row_reading import RowBlocks
from models.storage.segments import message_properties
from models.storage.segments.message_columns import FORGOTTEN, REMEMBERED, Ints, MessageColumns, sum_up
from models.storage.segments.open_segment import OpenSegment, SegmentRow
from models.storage.store_errors import DamagedError
from models.storage.workspace import Workspace

_COLUMNS = "seq, received_us, topic_id, agent_id, flags, properties, payload"
_PAGE_ROWS = 2_000
_BATCHES = "select id, committed_us, first_seq, n, duplicates, dropped, packets from batch order by id"
_FLAGS_AT = 4
_GAPS = "select batch_id, since_us, until_us, agent_id, cause, count from gap order by id"


class StoredBatch(NamedTuple):
    """One commit. `gaps`: those that the recorder noticed; what publishers' numbers tell is read again."""

    id: int
    committed_us: int
    first_seq: int
    duplicates: int
    dropped: int
    packets: bytes | None
    messages: list[RawMessage]
    gaps: list[Gap]


class StoredSegment:
    """One thread."""

    def __init__(self, opened: OpenSegment) -> None:
        self._opened = opened
        self._properties: dict[str, Any] = {}
        self._read: list[tuple[Ints, Ints, Ints]] = []  # agent, arrival, flags

    @classmethod
    @contextlib.contextmanager
    def opened(cls, workspace: Workspace, id_: int) -> Iterator["StoredSegment"]:
        """Open for a while. Raises `DAMAGE` of `open_segment`."""
        opened = OpenSegment(SegmentRow(id_, 0, "closed", 0, 0, 0, 0, 0, 0, 0), workspace.segment(id_))
        try:
            yield cls(opened)
        finally:
            opened.connection.close()

    def meta(self) -> dict[str, str]:
        return {str(key): str(value) for key, value in self._opened.rows("select key, value from meta")}

    def agent(self, id_: int) -> str:
        """Its name."""
        return self._opened.agent(id_)

    def batches(self) -> Iterator[StoredBatch]:
        """All of them, in order. Raises `DAMAGE` of `open_segment`, also where messages are missing."""
        gaps, messages = self.gaps(), self._messages()
        for id_, committed_us, first_seq, n, duplicates, dropped, packets in self._opened.rows(_BATCHES):
            some = list(islice(messages, n))
            if len(some) != n or (n and (some[0][0], some[-1][0]) != (first_seq, first_seq + n - 1)):
                raise DamagedError(f"messages of batch {id_} are missing")
            told = [message for _, message in some]
            yield StoredBatch(id_, committed_us, first_seq, duplicates, dropped, packets, told, gaps[id_])

    def gaps(self) -> dict[int, list[Gap]]:
        """Those that the recorder noticed, by commit."""
        found: dict[int, list[Gap]] = defaultdict(list)
        for batch, since_us, until_us, agent, cause, count in self._opened.rows(_GAPS):
            if cause != GapCause.SEQUENCE.value:
                found[batch].append(Gap(since_us, until_us, agent, GapCause(cause), count))
        return found

    def heard(self) -> dict[int, tuple[int, int, int]]:
        """Of the agents as they were read before: messages, first arrival, last live arrival (0: none)."""
        if not self._read:
            return {}
        agent, received_us, flags = (np.concatenate(column) for column in zip(*self._read, strict=True))
        nothing = np.zeros(len(agent), np.int64)
        return sum_up(MessageColumns(nothing, agent, nothing, received_us, flags, nothing)).agents

    def remembered(self) -> list[RawMessage]:
        """Messages that later ones cannot be read without, as they were marked; with an empty payload where there was no room."""
        blocks = self._opened.blocks.get("message")
        if blocks is None:
            rows = self._opened.rows(f"select {_COLUMNS} from message where flags & {REMEMBERED} order by seq")
        else:
            marked = ((one, np.flatnonzero(blocks.array(one, "flags") & REMEMBERED)) for one in _every(blocks))
            rows = _rows(blocks, marked)
        forgotten = [bool(row[_FLAGS_AT] & FORGOTTEN) for row in rows]
        told = (message for _, message in map(self._message, rows))
        return [one._replace(payload=b"") if gone else one for one, gone in zip(told, forgotten, strict=True)]

    def on_topics(self, wanted: Callable[[bytes], bool]) -> list[RawMessage]:
        """All messages of some topics, in order."""
        ids = [id_ for id_, name in self._opened.rows("select id, name from topic") if wanted(bytes(name))]
        if not ids:
            return []
        blocks = self._opened.blocks.get("message")
        if blocks is None:
            sql = f"select {_COLUMNS} from message where topic_id in (select value from json_each(?)) order by seq"
            rows = self._opened.rows(sql, json.dumps(ids))
        else:
            holding = np.unique(np.concatenate([blocks.holding("message_topic", id_) for id_ in ids])).tolist()
            rows = _rows(
                blocks, ((one, np.flatnonzero(np.isin(blocks.array(one, "topic_id"), ids))) for one in holding)
            )
        return [message for _, message in map(self._message, rows)]

    def _messages(self) -> Iterator[tuple[int, RawMessage]]:
        for page in self._pages():
            _, received_us, _, agent, flags, *_ = zip(*page, strict=True)
            self._read.append((np.array(agent, np.int64), np.array(received_us, np.int64), np.array(flags, np.int64)))
            yield from map(self._message, page)

    def _message(self, row: tuple[Any, ...]) -> tuple[int, RawMessage]:
        seq, received_us, topic, _, flags, properties, payload = row
        told = None if properties is None else self._told(properties)
        name = self._opened.topic(topic)
        return seq, RawMessage(
            name, payload, flags & 3, bool(flags & 4), False, 0, told, received_us, Origin(flags >> 4 & 3), 0
        )

    def _told(self, properties: str) -> Any:
        found = self._properties.get(properties)
        if found is None:
            if len(self._properties) >= _PAGE_ROWS:
                self._properties.clear()
            found = self._properties[properties] = message_properties.decode(properties)
        return found

    def _pages(self) -> Iterator[Sequence[tuple[Any, ...]]]:
        blocks = self._opened.blocks.get("message")
        if blocks is not None:
            names = _COLUMNS.split(", ")
            for number in _every(blocks):
                yield list(zip(*(blocks.column(number, name) for name in names), strict=True))
            return
        sql = f"select {_COLUMNS} from message not indexed where seq > ? order by seq limit {_PAGE_ROWS}"
        after = 0
        while page := self._opened.rows(sql, after):
            after = page[-1][0]
            yield page


def _every(blocks: RowBlocks) -> range:
    return range(len(blocks.directory[0]))


def _rows(blocks: RowBlocks, some: Iterable[tuple[int, npt.NDArray[np.intp]]]) -> list[tuple[Any, ...]]:
    """These of each block."""
    names = _COLUMNS.split(", ")
    return [
        row
        for number, places in some
        if len(places)
        for row in zip(*(blocks.column(number, name, places) for name in names), strict=True)
    ]
