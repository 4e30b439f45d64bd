"""What was committed since the last look: the window's live feed, read from the open segments."""

from typing import NamedTuple, cast

import numpy as np

from models.domain.problems import EnvironmentProblem, trouble
from models.domain.queries import SeriesColumns
from models.domain.tail import Interest, TailCursor, TailPage
from models.storage.history.events import PRESENCE_COLUMNS, presence_columns
from models.storage.history.store_view import StoreView
from models.storage.sealing.sample_order import read_batches
from models.storage.segments.open_segment import DAMAGE, OpenSegment, Row, SegmentRow
from models.storage.segments.sample_pick import Picked, UInt32, chosen, joined, pick
from models.storage.workspace import Workspace

MAX_BATCHES = 200
MAX_BYTES = 64 * 1024 * 1024
NO_CURSOR = TailCursor(((0, 0),))

_BATCHES = "select id, committed_us, last_us, n, n_samples, n_logs, n_tasks"


class _Known(NamedTuple):
    """Where presence and names of a segment were read up to, as of a batch."""

    batch: int
    presence: int
    names: tuple[int, int]  # largest agent and series id


class _Gathered:
    """One page in the making."""

    def __init__(self) -> None:
        self.batches = self.messages = self.samples = self.logs = self.tasks = self.bytes = 0
        self.committed_us = self.newest_received_us = 0
        self.new_names = False
        self.picked: list[Picked] = []
        self.presence: list[Row] = []

    @property
    def full(self) -> bool:
        return self.batches >= MAX_BATCHES or self.bytes >= MAX_BYTES

    def count(self, row: Row) -> None:
        """Take note of a batch, selected with `_BATCHES`."""
        _, committed_us, last_us, n, samples, logs, tasks, *_ = row
        self.batches += 1
        self.messages += n
        self.samples += samples
        self.logs += logs
        self.tasks += tasks
        if committed_us >= self.committed_us:
            self.committed_us, self.newest_received_us = committed_us, last_us


class TailReader:
    """Follows the open segments of a workspace, and those that closed meanwhile to their end. One thread.

    Where everything seen is stands in the cursor, so that any page can be asked for again while its segment is there.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._view: StoreView | None = None
        self._known: dict[int, _Known] = {}

    def poll(self, cursor: TailCursor, interest: Interest) -> TailPage:
        """The batches after `cursor`, at most 200 or 64 MB of samples; more is told next time. An empty cursor starts at
        the present end.

        A missing workspace has nothing new; missing segments are skipped. Raises `EnvironmentProblem` workspace.newer,
        store.corrupt or store.io.
        """
        gathered = _Gathered()
        view = self._ready()
        if view is None:
            return _page(cursor, gathered, interest)
        seen = dict(cursor.seen)
        rows = [row for row in view.all() if not row.imported]  # history, however new its file
        newest = rows[-1].id if rows else 0
        if not seen or (max(seen) > max(newest, 1) and rows):
            ends = {row.id: view.attempt(row, _last_batch, 0) for row in rows if row.is_open or row.id == newest}
            return _page(
                TailCursor(tuple(ends.items())) if ends else NO_CURSOR, gathered, interest, view.annotation_changes
            )
        wanted = np.array(sorted(interest.series), np.uint32)
        floor = max(seen)
        for row in rows:
            if row.id not in seen and row.id < floor:
                continue  # read to its end before
            seen.setdefault(row.id, 0)
            if gathered.full:
                continue
            view.attempt(row, lambda opened, _: self._read(opened, seen, wanted, gathered, view), None)
            if not row.is_open and row.id != newest and not gathered.full:
                del seen[row.id]  # nothing is written there any more
                self._known.pop(row.id, None)
        kept = {row.id for row in rows} | {max(seen, default=0)}
        end = TailCursor(tuple(sorted(one for one in seen.items() if one[0] in kept)))
        return _page(end, gathered, interest, view.annotation_changes)

    def close(self) -> None:
        """Close all files."""
        if self._view is not None:
            self._view.close()
        self._view = None
        self._known.clear()

    def _ready(self) -> StoreView | None:
        try:
            if self._view is None:
                self._view = StoreView(self._workspace)
            self._view.refresh()
        except EnvironmentProblem as problem:
            self._view = None
            if problem.problem.code == "workspace.missing":
                return None
            raise
        except DAMAGE as error:
            raise trouble("store.io", path=str(self._workspace.catalogue), detail=str(error)) from error
        return self._view

    def _read(
        self, opened: OpenSegment, seen: dict[int, int], wanted: UInt32, gathered: _Gathered, view: StoreView
    ) -> None:
        after = seen[opened.id]
        sql = f"{_BATCHES}{', samples' if len(wanted) else ''} from batch where id > ? order by id limit ?"
        cursor = opened.connection.execute(sql, (after, MAX_BATCHES - gathered.batches))
        blobs: list[bytes] = []
        for row in cursor:
            found = cast("Row", row)
            gathered.count(found)
            seen[opened.id] = found[0]
            if len(wanted) and found[-1] is not None:
                blobs.append(found[-1])
                gathered.bytes += len(found[-1])
                if gathered.full:
                    break
        cursor.close()
        if seen[opened.id] > after:
            self._read_rest(opened, after, seen[opened.id], gathered)
            damaged = lambda error: view.note_damage(opened.id, error)  # noqa: E731 - said twice
            if opened.has_chunks and len(wanted):  # written anew before we got to its end
                gathered.picked.append(
                    read_batches(opened.connection, (after + 1, seen[opened.id] + 1), wanted, damaged)
                )
            else:
                gathered.picked.append(pick(blobs, wanted, damaged))

    def _read_rest(self, opened: OpenSegment, after: int, last: int, gathered: _Gathered) -> None:
        """Presence changes of the batches, and whether new names came with them."""
        known = self._known.get(opened.id)
        if known is None or known.batch != after:
            begun = opened.number("select max(id) from presence_change where batch_id <= ?", after) if after else 0
            known = _Known(after, begun, (0, 0))
        rows = opened.rows(
            f"select id, {PRESENCE_COLUMNS} from presence_change where id > ? and batch_id <= ? order by id",
            known.presence, last,
        )  # fmt: skip
        gathered.presence += [row[1:] for row in rows]
        names = opened.number("select max(id) from agent"), opened.number("select max(id) from series")
        gathered.new_names |= names != known.names
        self._known[opened.id] = _Known(last, rows[-1][0] if rows else known.presence, names)


def _last_batch(opened: OpenSegment, _row: SegmentRow) -> int:
    return opened.number("select max(id) from batch")


def _page(cursor: TailCursor, gathered: _Gathered, interest: Interest, annotation_changes: int = 0) -> TailPage:
    every = joined(gathered.picked)
    points = []
    for series in sorted(interest.series) if len(every.series) else ():
        one = chosen(every, every.series == series)
        if len(one.value):
            points.append(SeriesColumns(series, one.time_us, one.received_us, one.value, reduced=False))
    return TailPage(
        cursor, gathered.batches, gathered.messages, gathered.samples, gathered.logs, gathered.tasks, gathered.new_names,
        gathered.committed_us, gathered.newest_received_us, tuple(points), presence_columns(gathered.presence),
        annotation_changes,
    )  # fmt: skip
