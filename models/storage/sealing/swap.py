"""The recorder's side of sealing: which segments wait for it, and how a sealed file takes the place of its source.

A sealed file gets the source's name (readers that have the source open read on in it), the folder is synced, and only then
the catalogue is told. Killed in between, the file's own `meta` is the truth, which `mend` brings into the catalogue.
"""

import contextlib
from pathlib import Path

import apsw

from models.storage.access import sync_folder
from models.storage.engine import open_reader
from models.storage.keeping.hour_store import HourStore
from models.storage.keeping.segment_hours import stored_hours
from models.storage.sealing.seal import UNSEALED_BYTES
from models.storage.segments.open_segment import DAMAGE, GENERATION, Row
from models.storage.segments.schema import LAYOUT, SEALED_LAYOUT
from models.storage.segments.segment_file import remove_files
from models.storage.store_errors import problems_of
from models.storage.transaction import transaction
from models.storage.workspace import Workspace

_WAITING = "SELECT id, bytes FROM segment WHERE state = 'closed' AND layout = ? ORDER BY id"
_NO_SEGMENT = (apsw.SQLError, LookupError, ValueError)
"""What comes of a file that is a database, and no segment any more: cut to nothing, say."""


class Sealing:
    """Part of the writer, in its thread. Methods raise `EnvironmentProblem` store.*; what was not done is done by calling
    again."""

    def __init__(self, workspace: Workspace, catalogue: apsw.Connection, hours: HourStore) -> None:
        self._workspace = workspace
        self._catalogue = catalogue
        self._hours = hours

    def waiting(self) -> list[int]:
        """Closed segments that are not sealed. One whose swap failed half-way is no longer among them."""
        with problems_of(self._workspace.catalogue):
            self._take_notice_of_swapped()
            return [id_ for id_, _ in self._rows(_WAITING, LAYOUT)]

    def swap_in(self, id_: int) -> None:
        """Let the sealed file take the place of its source, unless that is gone meanwhile."""
        sealed, path = self._workspace.sealing(id_), self._workspace.segment(id_)
        with problems_of(path):
            if not self._rows("SELECT 1 FROM segment WHERE id = ? AND state = 'closed'", id_):
                remove_files(sealed)
                return
            if sealed.exists() and not self._is_of_present(id_, sealed):
                remove_files(sealed)  # its source was read again meanwhile
            elif sealed.exists():
                sealed.replace(path)
                sync_folder(path.parent)
            self._take_notice(id_)

    def _is_of_present(self, id_: int, sealed: Path) -> bool:
        reader = open_reader(sealed)
        try:
            told = reader.execute("SELECT value FROM meta WHERE key = ?", (GENERATION,)).fetchall()
        finally:
            reader.close()
        return self._rows("SELECT generation FROM segment WHERE id = ?", id_) == [(int(told[0][0]) if told else 0,)]  # type: ignore[arg-type]

    def failed(self, id_: int) -> None:
        """Count an attempt that failed, where `info` finds it."""
        with problems_of(self._workspace.catalogue):
            self._catalogue.execute("UPDATE segment SET seal_failures = seal_failures + 1 WHERE id = ?", (id_,))

    def mend(self) -> None:
        """At the start: remove what a killed sealer left, tell the catalogue what a killed swap did."""
        for left in self._workspace.segments.glob("*.sealing*"):
            left.unlink(missing_ok=True)
        self._take_notice_of_swapped()

    def _take_notice_of_swapped(self) -> None:
        for id_, size in self._rows(_WAITING, LAYOUT):
            path = self._workspace.segment(id_)
            with contextlib.suppress(FileNotFoundError, *DAMAGE, *_NO_SEGMENT):  # told when somebody reads that history
                if path.stat().st_size != size:
                    self._take_notice(id_)

    def _take_notice(self, id_: int) -> None:
        path = self._workspace.segment(id_)
        reader = open_reader(path)
        try:
            meta = {str(key): str(value) for key, value in reader.execute("SELECT key, value FROM meta")}
            hours = stored_hours(reader) or []
        finally:
            reader.close()
        if int(meta["layout"]) != SEALED_LAYOUT:
            return
        with transaction(self._catalogue):
            if not self._hours.knows(id_):
                self._hours.take(id_, hours)
            self._catalogue.execute(
                "UPDATE segment SET layout = ?, bytes = ?, unsealed_bytes = ?, seal_failures = 0 WHERE id = ?",
                (SEALED_LAYOUT, path.stat().st_size, int(meta[UNSEALED_BYTES]), id_),
            )

    def _rows(self, query: str, *bindings: int) -> list[Row]:
        return self._catalogue.execute(query, bindings).fetchall()
