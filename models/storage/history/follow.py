"""The rows that a recorder stores, in the order of their commits and in the very text of `export`: for whoever writes them
on elsewhere. Where it got to is a `Place`, which outlives the process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from models.domain.problems import EnvironmentProblem
from models.domain.queries import CancelToken
from models.storage.export.cells import Shape
from models.storage.export.run import DATASETS, STREAMS
from models.storage.export.scope import Block, Scope
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import OpenSegment, SegmentRow, fetch
from models.storage.store_errors import problems_of
from models.storage.workspace import Workspace

TABLES = {
    "samples": "batch", "logs": "log", "interactions": "interaction", "connections": "attempt", "messages": "message",
}  # fmt: skip
"""Datasets with the table that numbers their rows; messages come last: what was read from one is out before it."""
PATIENCE = 30
"""So many times in a row a segment may be unreadable before the rest of it is given up."""
_RECORDED = """select s.id, s.capture_id, s.state, s.first_us, s.last_us, s.messages, s.samples, s.logs, s.tasks, s.taken_batch
    from segment s join capture c on c.id = s.capture_id where c.kind = 'record' and s.id >= ? order by s.id"""


@dataclass(frozen=True, slots=True)
class Place:
    """`rows` of this segment are done, and all segments before it."""

    segment: int = 0
    rows: dict[str, int] = field(default_factory=dict)  # dataset -> last row (samples: batch)

    def row(self, dataset: str) -> int:
        return self.rows.get(dataset, 0)


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of one dataset with their arrivals; `place`: where we are once they are done. `lost`: messages that went
    before anybody asked for them, with what was read from them."""

    place: Place
    dataset: str = ""
    received_us: list[int] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    lost: int = 0


class _UnreadableError(Exception):
    """A segment could not be read to its end."""


class Follower:
    """Reads a workspace while a recorder writes it. Imports are left out: they tell of another time.

    One thread. Methods raise `EnvironmentProblem` workspace.* and store.*.
    """

    def __init__(self, workspace: Workspace, *, jsonl: bool) -> None:
        self._workspace = workspace
        self._shapes = {dataset: Shape(DATASETS[dataset], jsonl) for dataset in STREAMS}
        self._view: StoreView | None = None
        self._failed: tuple[int, int] = (0, 0)  # segment, times in a row

    def header(self, dataset: str) -> str:
        """First line of a file; empty in JSON lines."""
        return self._shapes[dataset].header

    def look(self) -> None:
        """Let go of files that nobody writes any more, so that the recorder can settle them. Costs nothing; ask often."""
        if self._view is not None:
            self._fresh()

    def close(self) -> None:
        """Let go of all files; the next call opens them again."""
        if self._view is not None:
            self._view.close()
        self._view = None

    def pieces(self, place: Place) -> Iterator[Piece]:
        """What was stored since `place`, as of now. No read transaction outlives a page."""
        view, rows = self._recorded(place)
        for row in rows:
            if row.id != place.segment:
                place = Place(row.id)
            newest = row is rows[-1]
            try:
                if _readable(row):
                    for piece in self._segment(view, row, place):
                        place = piece.place
                        yield piece
                else:
                    yield Piece(Place(row.id + 1), lost=max(0, row.messages - place.row("messages")))
            except _UnreadableError:
                if newest or not self._out_of_patience(row.id):
                    return  # perhaps it is being made, or closed
                yield Piece(Place(row.id + 1), lost=max(0, row.messages - place.row("messages")))
            else:
                if not newest:  # a recorder writes one at a time
                    yield Piece(Place(row.id + 1))

    def behind(self, place: Place) -> tuple[int, int]:
        """How many stored messages are still to come, and how many went before we got there."""
        waiting = gone = 0
        view, rows = self._recorded(place)
        for row in rows:
            done = place.row("messages") if row.id == place.segment else 0
            if not _readable(row):
                gone += max(0, row.messages - done)
            else:
                stored = view.attempt(row, _last_message, row.messages) if row.is_open else row.messages
                waiting += max(0, stored - done)
        return waiting, gone

    def _recorded(self, place: Place) -> tuple[StoreView, list[SegmentRow]]:
        with problems_of(self._workspace.catalogue):
            view = self._fresh()
            return view, [SegmentRow(*row) for row in fetch(view.catalogue, _RECORDED, (place.segment,))]

    def _fresh(self) -> StoreView:
        view, self._view = self._view or StoreView(self._workspace), None
        try:
            with problems_of(self._workspace.catalogue):
                view.refresh()
        except EnvironmentProblem:
            view.close()
            raise
        self._view = view
        return view

    def _segment(self, view: StoreView, row: SegmentRow, place: Place) -> Iterator[Piece]:
        nothing: dict[str, int] = {}
        ends = view.attempt(row, _ends, nothing)
        rows = place.rows
        for dataset in TABLES:
            whole = dataset in ends and place.row(dataset) >= ends[dataset]
            scope = _Span(view, self._shapes[dataset], place.row(dataset), ends.get(dataset, 0))
            for block in () if whole else view.stream(row, _blocks(dataset, scope)):
                rows = {**rows, dataset: ends[dataset] if block is None else block.last}
                whole = block is None
                received, lines = ([], []) if block is None else (block.received_us, block.lines)
                yield Piece(Place(row.id, rows), dataset, received, lines)
            if not whole:
                raise _UnreadableError
        self._failed = (0, 0)

    def _out_of_patience(self, segment: int) -> bool:
        before, times = self._failed
        self._failed = (segment, times + 1 if before == segment else 1)
        return self._failed[1] >= PATIENCE


class _Span(Scope):
    """Rows behind `after` up to `last`, whenever they arrived."""

    def __init__(self, view: StoreView, shape: Shape, after: int, last: int) -> None:
        super().__init__(view, shape, 0, 0, "", CancelToken())
        self._range = after + 1, last + 1

    def row_range(self, _opened: OpenSegment, _table: str) -> tuple[int, int]:
        return self._range

    def batch_range(self, _opened: OpenSegment) -> tuple[int, int]:
        return self._range


def _readable(row: SegmentRow) -> bool:
    return row.state in ("open", "closed")


def _blocks(dataset: str, scope: Scope) -> Callable[[OpenSegment, SegmentRow], Iterator[Block | None]]:
    def read(opened: OpenSegment, _row: SegmentRow) -> Iterator[Block | None]:
        yield from STREAMS[dataset](scope, opened)
        yield None  # all of it was readable

    return read


def _ends(opened: OpenSegment, _row: SegmentRow) -> dict[str, int]:
    """Last row of every dataset, messages first: whatever was read from those is in the others by now."""
    return {dataset: opened.number(f"select max(rowid) from {table}") for dataset, table in reversed(TABLES.items())}


def _last_message(opened: OpenSegment, _row: SegmentRow) -> int:
    return opened.number("select max(seq) from message")
