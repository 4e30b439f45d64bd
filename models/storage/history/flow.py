"""Who talks to whom: interactions summed up by pair, and one by one."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.flow_queries import (
    REPLY_QUANTILES,
    FlowGroup,
    FlowRequest,
    FlowResult,
    TalkLine,
    TalkRequest,
    TalkResult,
)
from models.domain.queries import CancelToken, Reach, RowKey
from models.domain.records import Outcome
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import DISORDER_US, OpenSegment, SegmentRow, fetch

STEP = 20_000
MOST_ROWS = 4_000_000
"""Interactions that a reader remembers, some 25 bytes each; those of segments asked for longest ago go first."""
FIRST_S = 0.5
"""What was found by then is handed over, and more later."""
_FIRST_GROUP = 1 << 31
_ROW = np.dtype([("received", "<i8"), ("reply", "<i8"), ("sender", "<u4"), ("receiver", "<u4"), ("outcome", "u1")])
_SQL = """select received_us, coalesce(reply_us, -1), from_id, to_id, outcome from interaction
    where rowid > ? and rowid <= ? order by rowid"""
_LINES = """select id, received_us, seq, time_us, from_id, to_id, kind, exchange, reply_us, outcome from interaction
    where id >= ? and id < ? and received_us >= ? and received_us < ? and (received_us, ?, id) < (?, ?, ?) and {}
    order by id desc limit ?"""


class _Kept(NamedTuple):
    """What was read of a segment: all rows up to `last`, in parts. `generation`: of the file."""

    last: int
    generation: int
    parts: list[npt.NDArray[Any]]

    @property
    def rows(self) -> int:
        return sum(map(len, self.parts))


class _Nodes(NamedTuple):
    """`node`: of each agent, by its id; groups are counted from `_FIRST_GROUP` on."""

    groups: tuple[FlowGroup, ...]
    node: npt.NDArray[np.uint32]

    def of(self, agents: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        known = agents < len(self.node)
        return np.where(known, self.node[np.where(known, agents, 0)], agents)


class FlowHistory:
    """Remembers what it read, so that a live range costs only what is new. Any thread, each with a view of its own on the same
    workspace."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # over what is kept
        self._kept: OrderedDict[int, _Kept] = OrderedDict()

    def answer(self, view: StoreView, request: FlowRequest, token: CancelToken) -> Iterator[FlowResult]:
        """Sums so far after half a second, and again as often; at last the whole."""
        end_us = request.until_us or 2**62
        parts: list[npt.NDArray[Any]] = []
        nodes = _nodes(view) if request.by_group else None
        told_s = time.monotonic() + FIRST_S
        rows = view.overlapping(request.since_us, request.until_us)
        for number, row in enumerate(reversed(rows), 1):
            token.check()
            with self._lock:
                kept = view.attempt(row, lambda opened, one: self._bring(opened, one, token), None)
            for part in kept.parts if kept is not None else ():
                inside = (part["received"] >= request.since_us) & (part["received"] < end_us)
                parts.append(part if inside.all() else part[inside])
            if time.monotonic() > told_s and number < len(rows):
                told_s = time.monotonic() + FIRST_S
                yield _summed(request, parts, nodes, whole=False)
        with self._lock:
            self._trim()
        yield _summed(request, parts, nodes, whole=True)

    def _bring(self, opened: OpenSegment, row: SegmentRow, token: CancelToken) -> _Kept:
        """Read what is new in a segment."""
        kept = self._kept.pop(row.id, None)
        if kept is None or kept.generation != row.generation:
            kept = _Kept(0, row.generation, [])
        last = opened.number("select max(id) from interaction") or 0
        first = kept.last
        while first < last:
            token.check()
            top = min(last, first + STEP)
            found = opened.rows(_SQL, first, top)
            if found:
                kept.parts.append(np.array(found, _ROW))
            first = top
        if len(kept.parts) > 1 and len(kept.parts[-1]) < STEP:  # many small ones cost more than what is in them
            kept = kept._replace(parts=[np.concatenate(kept.parts)])
        self._kept[row.id] = kept = kept._replace(last=max(last, kept.last))
        return kept

    def _trim(self) -> None:
        rows = sum(kept.rows for kept in self._kept.values())
        while rows > MOST_ROWS and len(self._kept) > 1:
            rows -= self._kept.popitem(last=False)[1].rows


def _nodes(view: StoreView) -> _Nodes:
    """As the catalogue has it now, of all time: who is in another group today, is so in the past as well."""
    found: dict[str, list[int]] = {}
    for agent, group in fetch(
        view.catalogue, "select id, coalesce(nullif(given_group, ''), own_group) from agent order by id"
    ):
        if group:
            found.setdefault(group, []).append(agent)
    groups = tuple(FlowGroup(name, tuple(found[name])) for name in sorted(found, key=lambda one: (one.casefold(), one)))
    node = np.arange(1 + max((agent for one in groups for agent in one.members), default=0), dtype=np.uint32)
    for place, one in enumerate(groups):
        node[list(one.members)] = _FIRST_GROUP + place
    return _Nodes(groups, node)


def _summed(request: FlowRequest, parts: list[npt.NDArray[Any]], nodes: _Nodes | None, *, whole: bool) -> FlowResult:
    rows = np.concatenate(parts) if parts else np.empty(0, _ROW)
    senders, receivers = rows["sender"], rows["receiver"]
    if nodes is not None:
        senders, receivers = nodes.of(senders), nodes.of(receivers)
    pair = senders.astype(np.int64) << 32 | receivers
    pairs, place = np.unique(pair, return_inverse=True)
    n = len(pairs)
    bad = rows["outcome"] != Outcome.OK
    finished = bad | (rows["reply"] >= 0)
    last = np.zeros(n, np.int64)
    np.maximum.at(last, place, rows["received"])
    return FlowResult(
        request, _told(pairs >> 32 & 0xFFFFFFFF), _told(pairs & 0xFFFFFFFF), np.bincount(place, minlength=n).astype(np.int64),
        np.bincount(place[finished], minlength=n).astype(np.int64), np.bincount(place[bad], minlength=n).astype(np.int64),
        _quantiles(rows["reply"], place, n), last, whole, nodes.groups if nodes is not None else (),
    )  # fmt: skip


def _told(node: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """As a result names it."""
    return np.where(node >= _FIRST_GROUP, _FIRST_GROUP - 1 - node, node)


def _quantiles(reply: npt.NDArray[np.int64], place: npt.NDArray[np.intp], n: int) -> npt.NDArray[np.float64]:
    """Exact, of the replies that came (nearest rank)."""
    found = np.full((n, len(REPLY_QUANTILES)), np.nan)
    answered = reply >= 0
    reply, place = reply[answered], place[answered]
    order = np.lexsort((reply, place))
    ranked = reply[order]
    counts = np.bincount(place, minlength=n)
    begins = np.concatenate(([0], np.cumsum(counts)[:-1])) if n else np.empty(0, np.intp)
    some = counts > 0
    for column, share in enumerate(REPLY_QUANTILES):
        rank = np.maximum(np.ceil(share * counts[some]).astype(np.intp), 1) - 1
        found[some, column] = ranked[begins[some] + rank]
    return found


def answer_talk(view: StoreView, request: TalkRequest, token: CancelToken) -> TalkResult:
    """A page, newest first by arrival within each segment, the segments by their last arrival."""
    agents = _listed(request.agents)
    where = f"from_id in {agents} and to_id in {agents}"
    if request.senders:
        where += f" and from_id in {_listed(request.senders)}"
    if request.receivers:
        where += f" and to_id in {_listed(request.receivers)}"
    if request.ends:
        where += f" and (from_id in {_listed(request.ends)} or to_id in {_listed(request.ends)})"
    sql = _LINES.format(where)
    end_us = request.until_us or 2**62
    before = request.before or RowKey(2**62, 2**62, 2**62)
    lines: list[TalkLine] = []

    def page(opened: OpenSegment, row: SegmentRow) -> list[TalkLine]:
        first, end = opened.row_range("interaction", request.since_us, request.until_us)
        found: list[TalkLine] = []
        while end > first and len(found) <= request.limit:
            token.check()
            bottom = max(first, end - STEP)
            rows = opened.rows(sql, bottom, end, request.since_us, end_us, row.id, *before, request.limit + 1)
            found += [
                TalkLine(
                    RowKey(received_us, row.id, id_),
                    seq,
                    time_us,
                    sender,
                    receiver,
                    kind,
                    exchange,
                    reply_us,
                    Outcome(outcome),
                )
                for id_, received_us, seq, time_us, sender, receiver, kind, exchange, reply_us, outcome in rows
            ]
            end = bottom
        return found

    for row in reversed(view.overlapping(request.since_us, request.until_us)):
        if len(lines) > request.limit and row.last_us + DISORDER_US < lines[-1].key.received_us:
            break
        lines += view.attempt(row, page, [])
        lines.sort(key=lambda line: line.key, reverse=True)
    more = len(lines) > request.limit
    lines = lines[: request.limit]
    return TalkResult(request, tuple(lines), Reach(lines[-1].key if more else None))


def _listed(ids: tuple[int, ...]) -> str:
    """For `in`: as text, as a statement takes only so many bindings."""
    return "(" + ", ".join(str(int(one)) for one in ids) + ")"
