"""What the file of an imported segment says of its import, in its `meta`: of which one it is, whether that ended, and what it
stands in place of. It counts where the catalogue is lost, or falls back to an older state of itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

import apsw

from models.domain.recorded import ImportedFile

IMPORT = "import"
"""When the import began (wall µs), then in whose capture it was recorded where it came from."""
ENDED = "ended"
"""There once all files of the import are whole: from then on the catalogue may be told. Lists the recorded files that were
imported, if any: path, digest, size."""
REPLACES = "replaces"
"""Numbers of segments of this workspace in whose place it stands."""

_MOST_DIGITS = 18


def mark_ended(path: Path, files: Sequence[ImportedFile] = ()) -> None:
    """Durable; with the recorded files that were imported. Raises the engine's errors."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.pragma("journal_mode", "DELETE")
        connection.pragma("synchronous", "FULL")
        statement = "INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)"
        connection.execute(statement, (ENDED, json.dumps([astuple(one) for one in files])))
    finally:
        connection.close()


def import_mark(began_us: int, capture: str = "") -> str:
    """Value of `IMPORT`."""
    return f"{began_us}/{capture}"


def began_us(meta: Mapping[str, str]) -> int:
    """When its import began; 0: nobody says."""
    return whole_number(meta.get(IMPORT, "").partition("/")[0])


def capture_key(meta: Mapping[str, str]) -> str:
    """The same for all segments of one capture, recorded or imported."""
    return meta.get(IMPORT) or meta.get("capture", "")


def has_ended(meta: Mapping[str, str]) -> bool:
    """Of an import. One that was salvaged has no mark, but its `capture`, and so have those of before there was a mark."""
    return ENDED in meta or "capture" in meta


def imported_files(meta: Mapping[str, str]) -> list[ImportedFile]:
    """The recorded files that were imported with it; none where that cannot be read."""
    try:
        return [ImportedFile(str(path), str(digest), int(size)) for path, digest, size in json.loads(meta[ENDED])]
    except (KeyError, TypeError, ValueError):
        return []


def replaced(meta: Mapping[str, str]) -> list[int]:
    """Numbers of what it stands in place of."""
    return [number for number in map(whole_number, meta.get(REPLACES, "").split()) if number]


def whole_number(text: str, without: int = 0) -> int:
    """`without` where the text is none that the engine could store: nothing guards `meta` against damage."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else without
