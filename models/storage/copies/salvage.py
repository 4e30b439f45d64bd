"""What can still be read of segments that were set aside, as a workspace to import from. The damaged files are only read."""

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from models.domain.clock import Clock
from models.storage.access import create_private_file
from models.storage.copies.merge_source import SALVAGED, read_held
from models.storage.copies.salvage_copy import Bounds, KnownNames, Saved, SegmentCopy
from models.storage.copies.salvage_pages import readable_rows, shapes
from models.storage.copies.salvage_samples import SealedSamples
from models.storage.copies.salvage_sealed import SEALED_KINDS, TableFinder, as_open, create_sealed_tables
from models.storage.engine import open_database
from models.storage.history.store_view import read_catalogue
from models.storage.identity import read_workspace_id
from models.storage.keeping.retention import StoreLimits
from models.storage.sealing import sample_tables
from models.storage.segments.schema import SEGMENT_MODELS, create_tables
from models.storage.segments.segment_file import SegmentFile, remove_files
from models.storage.store_errors import problems_of
from models.storage.transaction import transaction
from models.storage.workspace import Workspace
from models.storage.writing.batch_rows import COLUMNS
from models.storage.writing.writer import StoreWriter

_SLACK_US = 3_600_000_000
_PAGE_ROWS = 1_000
_KEEP_ALL = StoreLimits(retention_bytes=1 << 50, retention_s=1 << 50)
_DAMAGED = """SELECT segment.id, segment.first_us, segment.last_us, messages, taken_batch, capture_id, kind, started_us,
    broker, client_id, host, version FROM segment LEFT JOIN capture ON capture.id = capture_id
    WHERE state = 'quarantined' OR (state = 'closed' AND segment.id IN (SELECT value FROM json_each(?))) ORDER BY segment.id"""


class Damaged(NamedTuple):
    """A segment, and what the catalogue knows of it. `mark`: what is said in the `meta` of what is made of it."""

    id: int
    path: Path
    mark: str
    bounds: Bounds
    meta: dict[str, str]


class Done(NamedTuple):
    """How much of one segment is there again."""

    segment: int
    saved: Saved


def damaged_segments(workspace: Workspace, found: Iterable[int]) -> list[Damaged]:
    """Those that were set aside, and of `found` those that are closed, of which nothing was brought back yet. Raises the problems of `read_catalogue`."""
    own = read_workspace_id(workspace)
    done = {one.meta.get(SALVAGED) for one in read_held(workspace).segments}
    catalogue = read_catalogue(workspace)
    try:
        rows: list[Any] = catalogue.execute(_DAMAGED, (json.dumps(list(found)),)).fetchall()
    finally:
        catalogue.close()
    known = [_known(workspace, own, row) for row in rows]
    return [one for one in known if one.mark not in done and one.path.exists()]


def _known(workspace: Workspace, own: str, row: tuple[Any, ...]) -> Damaged:
    id_, first_us, last_us, messages, taken, capture, *about = row
    path = workspace.segment(id_)
    mark = f"{own}/{id_}"
    keys = ("kind", "started_us", "broker", "client_id", "host", "version")
    meta = {key: str(value) for key, value in zip(keys, about, strict=True) if value is not None}
    meta |= {
        "workspace": own,
        "segment": str(id_),
        "capture": str(capture),
        "created_us": str(first_us),
        SALVAGED: mark,
    }
    if path.exists():  # what was written last the catalogue may not know
        last_us = max(last_us, path.stat().st_mtime_ns // 1_000)
    since_us = (
        first_us - _SLACK_US if capture else 0
    )  # else the catalogue was lost, and knows only that there is a file
    return Damaged(id_, path, mark, Bounds(since_us, last_us + _SLACK_US, messages, taken), meta)


def salvage(
    workspace: Workspace, folder: Path, damaged: Sequence[Damaged], clock: Clock, tell: Callable[[int, int], None]
) -> list[Done]:
    """Make `folder`, which is empty, a workspace of what can be read of `damaged`, for an import. `tell` gets how much is done
    of all, in bytes; what it raises ends the work. Nothing to be read of any of them: nothing is made.

    Raises `EnvironmentProblem` store.*; then the caller removes `folder`.
    """
    made = Workspace.at(folder)
    sizes = [one.path.stat().st_size for one in damaged]
    total, before = sum(sizes), 0
    done: list[Done] = []
    with problems_of(folder):
        made.segments.mkdir(mode=0o700, parents=True)
        for one, size in zip(damaged, sizes, strict=True):

            def told(pages: int, of: int, before: int = before, size: int = size) -> None:
                tell(before + size * pages // (of or 1), total)

            done.append(Done(one.id, _salvage_one(workspace, one, made, told)))
            before += size
    if any(one.saved.messages for one in done):
        StoreWriter(made, clock, _KEEP_ALL).close()  # makes its catalogue from the segments, and sums them up
    return done


def _salvage_one(workspace: Workspace, one: Damaged, made: Workspace, tell: Callable[[int, int], None]) -> Saved:
    raw_path = made.root / f"{one.id}.raw"
    create_private_file(raw_path)
    raw = open_database(raw_path, create=True)
    try:
        rows = raw.connection()
        rows.pragma("synchronous", "OFF")  # it is thrown away
        with raw.atomic():
            create_tables(raw)
            create_sealed_tables(rows)
            sample_tables.create_tables(rows)
        _read_all(one.path, rows, tell)
        told = {str(key): str(value) for key, value in rows.execute("SELECT key, value FROM meta").fetchall()}
        meta = {**one.meta, **{key: told[key] for key in ("created_us",) if told.get(key, "").isdigit()}}
        known = _known_names(workspace)
        sealed = as_open(rows, one.bounds.messages, one.bounds.taken_batch, known.topic, known.agent)
        segment = SegmentFile.create(one.id, made.segment(one.id), meta, lazily=True)
        try:
            with transaction(segment.connection):
                chunks = SealedSamples if sealed else None
                saved = SegmentCopy(rows, segment.connection, one.bounds, known, chunks).run()
        finally:
            segment.close()
        if not saved.messages:
            remove_files(made.segment(one.id))
        return saved
    finally:
        raw.close()
        remove_files(raw_path)


def _read_all(path: Path, raw: apsw.Connection, tell: Callable[[int, int], None]) -> None:
    """All readable rows into tables of the same names."""
    found = readable_rows(path, {**shapes(SEGMENT_MODELS), **SEALED_KINDS}, tell)
    finder = TableFinder()
    while page := list(itertools.islice(found, _PAGE_ROWS)):
        with transaction(raw):
            for table, id_, values in page:
                if values[0] is None:
                    values[0] = id_
                place = finder.table(table, values)
                if place:
                    places = ", ".join("?" * len(values))
                    raw.execute(f"INSERT OR IGNORE INTO {place} VALUES ({places})", values)


def _known_names(workspace: Workspace) -> KnownNames:
    catalogue = read_catalogue(workspace)
    try:
        tables: list[dict[int, Any]] = []
        for table in KnownNames._fields:
            rows: list[Any] = catalogue.execute(f"SELECT {COLUMNS[table]} FROM {table}").fetchall()
            tables.append({row[0]: row for row in rows})
        return KnownNames(*tables)
    finally:
        catalogue.close()
