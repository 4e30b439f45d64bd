"""Another workspace into this one: a backup or a copied folder is read by one thread, shown by the one that writes.

What is held already is not brought again. A segment is the same where it was begun at the same time in the same workspace; one
that was still being written when we got it takes the place of that earlier part of it.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from app.recorder.import_run import HandOver, nobody
from app.recorder.ports import MergeStore
from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, trouble
from models.domain.recorded import ImportProgress, ImportResult, OnProgress
from models.domain.records import GapCause
from models.storage.access import create_private_file, sync_file, sync_folder
from models.storage.copies.merge_copy import Renumbering, copy_segment, write_meta
from models.storage.copies.merge_source import SALVAGED, Held, HeldSegment, LostHistory, read_held
from models.storage.copies.merge_unsealed import write_unsealed
from models.storage.copies.merge_writer import MergeWriter, Numbered, Part, end_of, named, sum_up
from models.storage.copies.stand_in import StoodIn, remove_stand_in, stand_in
from models.storage.identity import read_workspace_id
from models.storage.segments.import_mark import IMPORT, REPLACES, capture_key, import_mark, mark_ended
from models.storage.segments.schema import LAYOUT
from models.storage.store_errors import DAMAGED, DamagedError, problems_of
from models.storage.workspace import Workspace

_LOG = logging.getLogger(__name__)
_BLOCK_BYTES = 4 * 1024 * 1024
_DAMAGED_THERE = (*DAMAGED, DamagedError, ValueError)
"""What copying a segment raises where that is damaged."""


class Merger:
    """Reads in the thread of the caller. Any thread, several at a time: the store admits one."""

    def __init__(self, workspace: Workspace, store: MergeStore, hand_over: HandOver, clock: Clock) -> None:
        self._workspace, self._store, self._hand_over, self._clock = workspace, store, hand_over, clock

    def run(self, source: Path, on_progress: OnProgress, *, make_room: bool = False) -> ImportResult:
        """Bring in what is new in `source`, a backup or the folder of a workspace, or nothing: what `on_progress` raises
        takes everything back.

        Raises `EnvironmentProblem` import.*, backup.*, workspace.*, file.*, store.*.
        """
        writer = self._hand_over(partial(self._store.begin_merge, make_room=make_room), nobody)
        folder = self._workspace.importing
        _LOG.info("importing from %s", source)
        try:
            remove_stand_in(folder)
            run = _Run(self._workspace, read_workspace_id(self._workspace), writer, self._hand_over, on_progress)
            found = stand_in(source, folder, self._clock, run.unpacked)
            result = run.bring(found)
        except BaseException as error:
            try:
                self._hand_over(writer.cancel, nobody)
            except EnvironmentProblem as left:
                _LOG.warning("the next start of the program removes what was imported so far: %s", left)
            _LOG.info("the import from %s was taken back", source)
            if isinstance(error, EnvironmentProblem) and error.problem.code in ("store.full", "file.full"):
                raise trouble("import.disk-full", **error.problem.params) from error
            raise
        finally:
            remove_stand_in(folder)
        _LOG.info("imported %d messages in %d segments", result.messages, result.segments)
        return result


class _Wanted(NamedTuple):
    """A segment to be brought; `earlier` part of it is held."""

    source: HeldSegment
    earlier: HeldSegment | None


@dataclass(slots=True)
class _Run:
    """One use."""

    workspace: Workspace
    id: str
    writer: MergeWriter
    hand_over: HandOver
    on_progress: OnProgress
    parts: list[Part] = field(default_factory=list)
    _done: int = 0
    _total: int = 0
    _messages: int = 0

    def unpacked(self, done: int, total: int) -> None:
        """Half of the work."""
        self._done, self._total = done, 2 * max(total, done)
        self._tell(0)

    def bring(self, found: StoodIn) -> ImportResult:
        """From a workspace that stands in for `source`."""
        theirs, ours = read_held(found.workspace), read_held(self.workspace, ours=True)
        wanted = list(_wanted(theirs, ours))
        sizes = sum(found.workspace.segment(one.source.id).stat().st_size for one in wanted)
        self._total = self._done + sizes
        damaged: list[LostHistory] = []
        for one in wanted:
            there = theirs.there if theirs.is_last(one.source) else []
            reserve = partial(self.writer.reserve, one.source.layout)  # another, in the end, where it is unsealed
            id_, path = self.hand_over(reserve, self._look)
            try:
                self._bring(found.workspace, one, id_, path, there)
            except _DAMAGED_THERE as error:
                _LOG.warning("segment %d there is damaged and left out: %s", one.source.id, error)
                self.hand_over(partial(self.writer.drop, id_), self._look)
                gap = (one.source.first_us, one.source.last_us, GapCause.DAMAGED.value, one.source.messages)
                damaged.append(LostHistory(*gap))
        new = {one.source.origin for one in wanted}
        held = [one for one in theirs.segments if one.origin not in new]
        if self.parts or damaged or theirs.words or theirs.lost or theirs.annotations:
            with problems_of(self.workspace.segments):
                for part in self.parts:
                    mark_ended(part.path)
                    self._look()
                sync_folder(self.workspace.segments)
            told = (theirs.words, theirs.annotations)
            finish = partial(self.writer.finish, self.parts, held, [*theirs.lost, *damaged], *told)
            self.hand_over(finish, nobody)
        else:
            self.hand_over(self.writer.cancel, nobody)
        return self._result(len(held), theirs.unreadable + found.missing + len(damaged))

    def _bring(self, stood_in: Workspace, wanted: _Wanted, id_: int, path: Path, ended: Sequence[str]) -> None:
        source, earlier = wanted
        origin = stood_in.segment(source.id)
        with problems_of(origin, let=_DAMAGED_THERE):
            rows = named(origin)
        numbered: Numbered = self.hand_over(partial(self.writer.number, rows, ended), self._look)
        with problems_of(self.workspace.segments, let=_DAMAGED_THERE):
            layout = self._copy(source, origin, path, numbered.ids)
            part = Part(id_, path, source, layout, numbered.rows)
            if earlier is not None:
                part.after, part.replaces = earlier.last_batch, earlier.id
            self._salvaged(part)
            end = end_of(part, numbered.ended)
            mark = import_mark(self.writer.began_us, capture_key(source.meta))
            meta = {
                "kind": "import", "segment": str(id_), "workspace": self.id, "origin": source.origin, IMPORT: mark,
                REPLACES: _replaces(part, earlier),
            }  # fmt: skip
            agents = numbered.rows.agent if end else ()
            told = {**meta, "parted": "1"} if end else meta
            write_meta(path, told, end, agents, last_batch=source.last_batch)
            sum_up(part, self.writer.own_headlines, self._look)
        self.parts.append(part)
        self._messages += part.intake.totals[0] if part.intake is not None else 0

    def _salvaged(self, part: Part) -> None:
        """Of a damaged segment of ours, much is known already."""
        workspace, _, number = part.source.meta.get(SALVAGED, "").partition("/")
        if workspace == self.id and number.isdigit():
            known = self.hand_over(partial(self.writer.known_of_damaged, int(number)), self._look)
            if known is not None:
                part.salvages, part.after = int(number), known

    def _copy(self, source: HeldSegment, origin: Path, path: Path, ids: Renumbering) -> int:
        """Answers the layout that it has here."""
        if ids.changes_nothing:
            _take(origin, path, self._tell)
            return source.layout
        if source.layout == LAYOUT:
            copy_segment(origin, path, ids, self._tell)
        else:
            self.hand_over(partial(self.writer.make_empty, path), self._look)
            write_unsealed(origin, path, ids, self._tell)
        return LAYOUT

    def _tell(self, size_bytes: int) -> None:
        self._done += size_bytes
        self._look()

    def _look(self) -> None:
        """Say how far it is; whoever wants it to end says so now."""
        self.on_progress(ImportProgress(self._done, max(self._total, self._done), self._messages))

    def _result(self, held: int, damaged: int) -> ImportResult:
        intakes = [part.intake for part in self.parts if part.intake is not None]
        sums = [sum(column) for column in zip(*(one.totals for one in intakes), strict=True)] or [0] * 7
        return ImportResult(
            messages=sums[0],
            agents=len({agent for one in intakes for agent in one.agents}),
            samples=sums[1],
            logs=sums[2],
            tasks=sums[3],
            unreadable=dict(sum((part.unreadable for part in self.parts), Counter[str]())),
            since_us=min((one.first_us for one in intakes), default=0),
            until_us=max((one.last_us for one in intakes), default=0),
            segments=len(self.parts),
            held_segments=held,
            damaged_segments=damaged,
        )


def _wanted(theirs: Held, ours: Held) -> Iterator[_Wanted]:
    """What they have and we do not, in the order of their making."""
    known = {one.origin: one for one in ours.segments}
    for one in theirs.segments:
        earlier = known.get(one.origin)
        if earlier is None or _made_of(one, earlier):
            yield _Wanted(one, None)
        elif not earlier.is_open and (
            one.last_batch > earlier.last_batch
            or (SALVAGED in earlier.meta and SALVAGED not in one.meta)  # the whole one, from before it was damaged
            or (one.last_batch == earlier.last_batch and earlier.parted and not theirs.is_last(one))
        ):
            yield _Wanted(one, earlier)


def _made_of(salvaged: HeldSegment, damaged: HeldSegment) -> bool:
    """Is it what could be read of this very file of ours, which is to stay?"""
    _, _, number = salvaged.meta.get(SALVAGED, "").partition("/")
    return number == str(damaged.id) and SALVAGED not in damaged.meta


def _replaces(part: Part, earlier: HeldSegment | None) -> str:
    """What is said of it in its file: it stands in place of that, and of what that one stood in place of."""
    before = earlier.meta.get(REPLACES, "") if earlier is not None else ""
    return f"{part.replaces or part.salvages or ''} {before}".strip()


def _take(source: Path, target: Path, tell: Callable[[int], None]) -> None:
    """The file as it is: moved where it is only for us, copied where we look at somebody's. What `tell` raises ends it."""
    if not source.is_symlink():
        source.rename(target)
        tell(target.stat().st_size)
        return
    create_private_file(target)
    with source.open("rb") as file, target.open("r+b") as copy:
        while block := file.read(_BLOCK_BYTES):
            copy.write(block)
            tell(len(block))
    sync_file(target)
