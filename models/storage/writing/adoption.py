"""Segment files of which the catalogue knows less than they do: it was lost, or is older than they are.

Nothing that was ever history is removed. A file of an import goes only where one of that import's files says that it never ended:
each says so before the catalogue is told. Of what was brought a second time only the later file stands.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from models.domain.clock import Clock
from models.domain.problems import Problem
from models.domain.records import GapCause
from models.storage.catalogue_file import set_aside
from models.storage.copies.merge_source import origin_of
from models.storage.engine import WorkspaceDatabase, open_reader
from models.storage.keeping.hour_store import HourStore
from models.storage.names_table import storable
from models.storage.segments.import_mark import (
    IMPORT,
    began_us,
    capture_key,
    has_ended,
    imported_files,
    replaced,
    whole_number,
)
from models.storage.segments.open_segment import DAMAGE_ALONE
from models.storage.segments.schema import LAYOUT
from models.storage.segments.segment_file import remove_files
from models.storage.store_errors import DamagedError, problems_of
from models.storage.transaction import transaction
from models.storage.workspace import Workspace
from models.storage.writing.segment_rows import insert_segment, quarantine

_log = logging.getLogger(__name__)
_UNREADABLE = (*DAMAGE_ALONE, apsw.SQLError)
_UNFINISHED_BYTES = 4_096  # of a segment whose making a kill cut off
_IMPORTED_FILE = "INSERT INTO imported_file(capture_id, path, digest, bytes) VALUES (?, ?, ?, ?)"
_KNOWN = "SELECT taken_batch, payload_bytes FROM segment WHERE id = ? AND state <> 'removed'"
_GOES_ON = (
    """UPDATE segment SET taken_batch = max(taken_batch, ?), payload_bytes = max(payload_bytes, ?) WHERE id = ?"""
)


class _File(NamedTuple):
    """A segment file, with all that it says of itself. `import_us`: when the import began that it belongs to; 0: to none. `error`:
    why it could not be read."""

    id: int
    path: Path
    meta: Mapping[str, str]
    import_us: int
    error: Exception | None = None

    @property
    def of_ended_import(self) -> bool:
        return self.import_us != 0 and has_ended(self.meta)


class Adoption:
    """One use, at the start of the writer. Raises the engine's errors, `OSError` and `EnvironmentProblem` store.*"""

    def __init__(self, workspace: Workspace, catalogue: WorkspaceDatabase, hours: HourStore, clock: Clock) -> None:
        self._workspace, self._database, self._hours, self._clock = workspace, catalogue, hours, clock
        self._catalogue: apsw.Connection = catalogue.connection()
        self._captures: dict[str, int] = {}  # of imports, by what their segments say
        self._last_capture = 0
        self._fresh = not self._rows("SELECT 1 FROM capture LIMIT 1")
        self.problems: list[Problem] = []

    def run(self, *, fell_back: bool) -> None:
        """Rows for all files that are to be taken in. `fell_back`: the catalogue is known to be older than it was."""
        begun = dict(self._rows("SELECT id, first_us FROM segment WHERE state = 'importing'"))
        known = {id_ for (id_,) in self._rows("SELECT id FROM segment")} - begun.keys()
        ids = sorted(int(path.stem) for path in self._workspace.segments.glob("*.db") if path.stem.isdecimal())
        files = [self._look(id_, begun.get(id_, 0)) for id_ in ids if id_ not in known]
        files = [one for one in files if not self._is_foreign(one)]
        numbers = [_number(one.meta, "capture") for one in files]
        self._last_capture = max([self._rows("SELECT coalesce(max(id), 0) FROM capture")[0][0], *numbers])
        ended = {one.import_us for one in files if one.of_ended_import}
        unfinished = {one.import_us for one in files if one.import_us and not one.error and not one.of_ended_import}
        for one in files:
            lost = one.error is not None and one.id in begun and not fell_back and one.import_us not in ended
            if one.import_us in unfinished or lost:
                _log.warning("%s is of an import that did not end", one.path)
                remove_files(one.path)
        replaced_by = self._set_replaced_aside([one for one in files if one.path.exists()])
        for one in files:
            if one.path.exists():
                self._adopt(one, replaced_by.get(one.id, ()))
        self._rows("DELETE FROM segment WHERE state = 'importing'")

    def _look(self, id_: int, row_us: int) -> _File:
        """`row_us`: when the import began of which the catalogue says that it did not end (0: it knows nothing of the file)."""
        path = self._workspace.segment(id_)
        try:
            with problems_of(path, let=_UNREADABLE):
                meta = read_meta(path)
            if not meta:
                raise DamagedError("it does not say what it is")
        except _UNREADABLE as error:
            return _File(id_, path, {}, row_us, error)
        import_us = (began_us(meta) or -id_) if meta.get("kind") == "import" else 0
        if row_us and (import_us != row_us or not _is_its_number(meta, id_)):
            return _File(id_, path, {}, row_us)  # still as it was copied
        return _File(id_, path, meta, import_us)

    def _is_foreign(self, one: _File) -> bool:
        """Of another workspace, or a copy under another number: out of the way, as its number may be wanted."""
        if one.error is not None or not one.meta:
            return False
        own = (
            self._fresh or one.meta.get("workspace") == self._rows("SELECT value FROM workspace WHERE key = 'id'")[0][0]
        )
        if own and _is_its_number(one.meta, one.id):
            return False
        _log.warning(
            "%s is no segment of this workspace; kept as %s", one.path, set_aside(one.path, self._clock, "foreign")
        )
        return True

    def _set_replaced_aside(self, files: Sequence[_File]) -> dict[int, set[int]]:
        """Files in whose place a later one stands. Answers their numbers, by that of the later one."""
        found: dict[int, set[int]] = {}
        for one in files:
            if one.of_ended_import:
                origin = origin_of(one.meta, "")
                same = {other.id for other in files if other.meta and origin_of(other.meta, "") == origin}
                found[one.id] = {id_ for id_ in (*same, *replaced(one.meta)) if id_ < one.id}
        for id_ in set().union(*found.values()):
            path = self._workspace.segment(id_)
            if path.exists():
                _log.warning("%s was replaced; kept as %s", path, set_aside(path, self._clock, "replaced"))
        return found

    def _adopt(self, one: _File, replaces: Iterable[int]) -> None:
        if one.error is not None:
            self._adopt_unreadable(one, one.error)
            return
        meta = one.meta
        layout, created_us = _number(meta, "layout", LAYOUT), _number(meta, "created_us")
        with transaction(self._catalogue):
            capture = self._capture(meta)
            if self._fresh and "workspace" in meta:
                self._rows("UPDATE workspace SET value = ? WHERE key = 'id'", meta["workspace"])
            self._rows(
                "INSERT OR IGNORE INTO capture VALUES (?, ?, ?, NULL, ?, ?, ?, ?)",
                capture, meta.get("kind", "record"), began_us(meta) or _number(meta, "started_us", created_us),
                *(meta.get(key, "") for key in ("broker", "client_id", "host", "version")),
            )  # fmt: skip
            self._rows("DELETE FROM segment WHERE id = ?", one.id)
            insert_segment(self._database, one.id, capture, layout, created_us)
            for id_ in replaces:
                self._take_place(id_, one.id)

    def _capture(self, meta: Mapping[str, str]) -> int:
        if IMPORT not in meta:
            return _number(meta, "capture")
        key = capture_key(meta)
        if key not in self._captures:
            self._last_capture += 1
            self._captures[key] = self._last_capture
            for file in imported_files(meta):
                self._rows(_IMPORTED_FILE, self._last_capture, storable(file.path), file.digest, file.bytes)
        return self._captures[key]

    def _take_place(self, old: int, new: int) -> None:
        """What the catalogue knows of the old one it need not take in again."""
        for taken, payload_bytes in self._rows(_KNOWN, old):
            self._rows(_GOES_ON, taken, payload_bytes, new)
            self._rows("DELETE FROM gap WHERE segment_id = ? AND cause = ?", old, GapCause.DAMAGED.value)
            self._rows("UPDATE gap SET segment_id = ? WHERE segment_id = ?", new, old)
            self._rows("UPDATE segment SET state = 'removed', bytes = 0 WHERE id = ?", old)
            self._hours.forget(old)

    def _adopt_unreadable(self, one: _File, error: Exception) -> None:
        """Nobody knows what it held; it is kept, and told."""
        if one.path.stat().st_size <= _UNFINISHED_BYTES:
            _log.warning("%s is no segment: %s", one.path, error)
            return
        written_us = one.path.stat().st_mtime_ns // 1_000
        with transaction(self._catalogue):
            self._rows("DELETE FROM segment WHERE id = ?", one.id)
            insert_segment(self._database, one.id, 0, LAYOUT, written_us)
        self.problems.append(quarantine(self._catalogue, one.id, one.path, error, self._clock.wall_us()))

    def _rows(self, query: str, *bindings: int | str | None) -> list[Any]:
        return self._catalogue.execute(query, bindings).fetchall()


def read_meta(path: Path) -> dict[str, str]:
    """What a segment file says of itself. Raises the engine's errors."""
    hot = Path(f"{path}-journal").exists()  # readers cannot roll it back
    reader = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE) if hot else open_reader(path)
    try:
        return {str(key): str(value) for key, value in reader.execute("SELECT key, value FROM meta").fetchall()}
    finally:
        reader.close()


def _number(meta: Mapping[str, str], key: str, without: int = 0) -> int:
    return whole_number(meta.get(key, ""), without)


def _is_its_number(meta: Mapping[str, str], id_: int) -> bool:
    return meta.get("segment", str(id_)) == str(id_)
