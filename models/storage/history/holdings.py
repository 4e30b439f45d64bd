"""What a workspace holds: sizes and span, a day at a time and a capture at a time."""

import shutil
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple

import numpy as np

from models.domain.queries import (
    CancelToken,
    CaptureRow,
    DayColumns,
    Int64,
    StoreRequest,
    StoreResult,
)
from models.storage.history.kinds import kinds_held
from models.storage.history.store_view import StoreView
from models.storage.sealing.figures import sealed_figures
from models.storage.segments.open_segment import OpenSegment, SegmentRow, fetch
from models.storage.workspace import Workspace

KINDS = ("messages", "samples", "logs", "tasks")
PAGE_BATCHES = 20_000
_COLUMNS = f"id, capture_id, first_us, last_us, {', '.join(KINDS)}, bytes, duplicates, dropped, unreadable"
_BATCHES = """select id, first_us, n, n_samples, n_logs, n_tasks from batch where id > ? order by id limit ?"""


class _Held(NamedTuple):
    """A readable segment as the catalogue has it, in the order of `_COLUMNS`."""

    id: int
    capture: int
    first_us: int
    last_us: int
    messages: int
    samples: int
    logs: int
    tasks: int
    bytes: int
    duplicates: int
    dropped: int
    unreadable: int


class StoreHistory:
    """Remembers how the closed segments that hold several days share them out, as that never changes. One thread."""

    def __init__(self) -> None:
        self._shares: dict[tuple[int, int, tzinfo | None], Int64] = {}

    def answer(self, view: StoreView, request: StoreRequest, token: CancelToken) -> StoreResult:
        """Raises `Cancelled`."""
        rows = [row for row in view.all() if row.last_us]
        sql = f"select {_COLUMNS} from segment where state in ('open', 'closed') order by id"
        held = [_Held(*row) for row in fetch(view.catalogue, sql)]
        some = [one for one in held if one.last_us]
        spans = [row for row in view.overlapping(0, 0) if row.last_us]
        return StoreResult(
            request,
            min((row.first_us for row in spans), default=0),
            max((row.last_us for row in spans), default=0),
            store_bytes(view.workspace, [one.id for one in held]),
            {kind: sum(getattr(one, kind) for one in held) for kind in KINDS},
            fetch(view.catalogue, "select count(*) from agent")[0][0],
            sum(one.unreadable for one in held),
            sum(one.duplicates for one in held),
            sum(one.dropped for one in held),
            _free(view.workspace),
            self._days(view, {row.id: row for row in rows}, some, request.zone, token),
            _captures(view, held),
            kinds_held(view),
            sealed_figures(view),
        )

    def _days(
        self, view: StoreView, rows: dict[int, SegmentRow], held: list[_Held], zone: tzinfo | None, token: CancelToken
    ) -> DayColumns:
        days = _midnights(
            min((one.first_us for one in held), default=0), max((one.last_us for one in held), default=0), zone
        )
        totals = np.zeros((len(days), len(KINDS) + 1), np.int64)
        for one in held:
            token.check()
            first, last = np.searchsorted(days, (one.first_us, one.last_us), "right") - 1
            if first == last or one.id not in rows:
                totals[first] += (one.messages, one.samples, one.logs, one.tasks, one.bytes)
            else:
                share = self._share(view, rows[one.id], days[first : last + 1], zone, token)
                totals[first : last + 1, : len(KINDS)] += share
                totals[first : last + 1, len(KINDS)] += _shared_out(one.bytes, share[:, 0])
        some = totals.any(axis=1)
        return DayColumns(days[some], *totals[some].T)

    def _share(self, view: StoreView, row: SegmentRow, days: Int64, zone: tzinfo | None, token: CancelToken) -> Int64:
        key = (row.id, row.generation, zone)
        share = self._shares.get(key)
        if share is None or len(share) != len(days):
            share = view.attempt(
                row, lambda opened, _: _by_day(opened, days, token), np.zeros((len(days), len(KINDS)), np.int64)
            )
            if not row.is_open:
                self._shares[key] = share
        return share


def _by_day(opened: OpenSegment, days: Int64, token: CancelToken) -> Int64:
    """What the commits of a segment hold, by the day of their first message."""
    share = np.zeros((len(days), len(KINDS)), np.int64)
    after = 0
    while page := opened.rows(_BATCHES, after, PAGE_BATCHES):
        token.check()
        columns = np.array(page, np.int64)
        place = np.clip(np.searchsorted(days, columns[:, 1], "right") - 1, 0, len(days) - 1)
        np.add.at(share, place, columns[:, 2:])
        after = int(columns[-1, 0])
    return share


def _shared_out(total: int, weights: Int64) -> Int64:
    """`total` in proportion to the weights, without losing any to rounding; all to the first where none weighs."""
    whole = int(weights.sum())
    if not whole:
        weights, whole = np.eye(1, len(weights), dtype=np.int64)[0], 1
    ends = np.array([total * int(upto) // whole for upto in weights.cumsum()], np.int64)
    return np.diff(ends, prepend=0)


def _midnights(first_us: int, last_us: int, zone: tzinfo | None) -> Int64:
    """Beginnings of the days from that of `first_us` to that of `last_us`."""
    if not last_us:
        return np.empty(0, np.int64)
    day, found = _local(first_us, zone).date(), []
    end = _local(last_us, zone).date()
    while day <= end:
        midnight = datetime.combine(day, time.min, zone)
        found.append(round(midnight.timestamp() * 1_000_000))
        day += timedelta(days=1)
    return np.array(found, np.int64)


def _local(time_us: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(time_us / 1_000_000, zone)


def source_column(view: StoreView) -> str:
    """SQL for what a capture came from: the address of the broker, the files of an import, or computer and broker of another
    workspace."""
    if not fetch(view.catalogue, "select 1 from sqlite_schema where name = 'imported_file'"):  # an older catalogue
        return "broker"
    names = "(select group_concat(path, ', ') from imported_file where capture_id = capture.id)"
    return f"iif(kind = 'import', coalesce({names}, trim(host || ' · ' || broker, ' ·')), broker)"


def _captures(view: StoreView, held: list[_Held]) -> tuple[CaptureRow, ...]:
    """Those of which something is held, or that run."""
    parts: dict[int, list[_Held]] = {}
    for one in held:
        parts.setdefault(one.capture, []).append(one)
    rows: list[Any] = fetch(
        view.catalogue,
        f"select id, kind, {source_column(view)}, started_us, coalesce(ended_us, 0) from capture order by id desc",
    )
    found = []
    for id_, kind, told, started_us, ended_us in rows:
        mine = parts.get(id_, [])
        if mine:
            messages, samples, logs, tasks, size = (
                sum(getattr(one, name) for one in mine) for name in (*KINDS, "bytes")
            )
            first_us = min((one.first_us for one in mine if one.last_us), default=0)
            last_us = max(one.last_us for one in mine)
            found.append(
                CaptureRow(
                    id_, kind, told, started_us, ended_us, first_us, last_us, messages, samples, logs, tasks, size,
                    len(mine),
                )
            )  # fmt: skip
    return tuple(found)


def _free(workspace: Workspace) -> int:
    try:
        return shutil.disk_usage(workspace.root).free
    except OSError:
        return 0


def store_bytes(workspace: Workspace, segments: list[int]) -> int:
    """Bytes on disk of the catalogue and these segments, with their logs."""
    total = 0
    for path in (workspace.catalogue, *(workspace.segment(id_) for id_ in segments)):
        for file in (path, path.with_name(path.name + "-wal")):
            try:
                total += file.stat().st_size
            except FileNotFoundError:
                continue
    return total
