"""What the file of an imported segment says of its import, in its `meta`: of which one it is, whether that ended, and what it
stands in place of. It counts where the catalogue is lost, or falls back to an older state of itself."""

from collections.abc import Mapping
from pathlib import Path

import apsw

IMPORT = "import"
"""When the import began (wall µs), then in whose capture it was recorded where it came from."""
ENDED = "ended"
"""There once all files of the import are whole: from then on the catalogue may be told."""
REPLACES = "replaces"
"""Numbers of segments of this workspace in whose place it stands."""


def mark_ended(path: Path) -> None:
    """Durable. Raises the engine's errors."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.pragma("journal_mode", "DELETE")
        connection.pragma("synchronous", "FULL")
        connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, '1')", (ENDED,))
    finally:
        connection.close()


def import_mark(began_us: int, capture: str = "") -> str:
    """Value of `IMPORT`."""
    return f"{began_us}/{capture}"


def began_us(meta: Mapping[str, str]) -> int:
    """When its import began; 0: nobody says."""
    number = meta.get(IMPORT, "").partition("/")[0]
    return int(number) if number.isdigit() else 0


def capture_key(meta: Mapping[str, str]) -> str:
    """The same for all segments of one capture, recorded or imported."""
    return meta.get(IMPORT) or meta.get("capture", "")


def has_ended(meta: Mapping[str, str]) -> bool:
    """Of an import. (`capture` was the mark before.)"""
    return ENDED in meta or "capture" in meta


def replaced(meta: Mapping[str, str]) -> list[int]:
    """Numbers of what it stands in place of."""
    return [int(number) for number in meta.get(REPLACES, "").split() if number.isdigit()]
