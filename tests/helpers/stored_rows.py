"""Counts what a store holds by looking into its files, without any reader of the project."""

import contextlib
from pathlib import Path

import apsw

from models.storage.engine import open_reader

_COUNT = """SELECT count(*) FROM message
    WHERE topic_id IN (SELECT id FROM topic WHERE substr(name, 1, length(?1)) = ?1)"""


def message_rows(workspace: Path, prefix: bytes) -> int:
    """Rows of messages whose topic begins with `prefix`, in all segments. Works while a recorder writes."""
    found = 0
    for file in (workspace / "segments").glob("*.db"):
        reader: apsw.Connection | None = None
        with contextlib.suppress(apsw.SQLError, apsw.CantOpenError):  # a segment that is being made or removed
            reader = open_reader(file)
            found += reader.execute(_COUNT, (prefix,)).fetchall()[0][0]
        if reader is not None:
            reader.close()
    return found
