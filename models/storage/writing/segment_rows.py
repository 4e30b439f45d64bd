"""Rows of segments in the catalogue: begun, set aside, taken back."""

import contextlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import apsw

from models.domain.problems import Problem
from models.domain.records import GapCause
from models.storage.catalogue import Segment
from models.storage.engine import WorkspaceDatabase
from models.storage.segments.segment_file import files_size
from models.storage.transaction import transaction

_log = logging.getLogger(__name__)


def insert_segment(
    database: WorkspaceDatabase, id_: int, capture: int, layout: int, now_us: int, state: str = "open"
) -> None:
    """The catalogue's row of a segment that is about to be made."""
    zeros = dict.fromkeys(("messages", "samples", "logs", "tasks", "bytes", "duplicates", "dropped", "unreadable", "payload_bytes", "taken_batch"), 0)  # fmt: skip
    row = {"id": id_, "capture_id": capture, "layout": layout, "state": state, "first_us": now_us, "last_us": now_us}
    Segment.insert({**row, **zeros}).execute(database)


def quarantine(catalogue: apsw.Connection, id_: int, path: Path, error: BaseException, now_us: int) -> Problem:
    """Set a damaged segment aside: its files stay where they are, nobody reads or removes them, history shows a gap."""
    _log.error("segment %d is damaged and set aside: %s", id_, error)
    with transaction(catalogue):
        catalogue.execute(
            """INSERT INTO gap(since_us, until_us, agent_id, cause, count, segment_id)
            SELECT first_us, CASE state WHEN 'open' THEN max(last_us, ?1) ELSE last_us END, 0, ?2, messages, id
            FROM segment WHERE id = ?3""",
            (now_us, GapCause.DAMAGED.value, id_),
        )
        catalogue.execute("UPDATE segment SET state = 'quarantined', bytes = ? WHERE id = ?", (files_size(path), id_))
    return Problem("store.corrupt", {"path": str(path), "detail": str(error)})


def take_back(catalogue: apsw.Connection, ids: Iterable[int], remove: Callable[[], None]) -> None:
    """Of an import that does not end: `remove` unlinks its files. Their rows say so first, as the files may say already that it
    ended; what a kill leaves then, the next start removes."""
    rows = [(id_,) for id_ in ids]
    with contextlib.suppress(apsw.Error):  # a full disk, which the files make room on
        catalogue.executemany("UPDATE segment SET state = 'removed', bytes = 0 WHERE id = ?", rows)
    remove()
    catalogue.executemany("DELETE FROM segment WHERE id = ?", rows)
