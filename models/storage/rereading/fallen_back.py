"""A catalogue that fell back to before history was read again: the files are of another reading than what it knows of them."""

import contextlib
from typing import Any

import apsw

from models.domain.records import GapCause
from models.storage.copies.merge_source import LOST
from models.storage.engine import open_reader
from models.storage.segments.open_segment import DAMAGE, GENERATION
from models.storage.transaction import transaction
from models.storage.workspace import Workspace

_CLOSED = "SELECT id, generation FROM segment WHERE state = 'closed'"
_LOST = ", ".join(f"'{GapCause(cause).value}'" for cause in LOST)
_FORGET = f"""
UPDATE agent SET convention = '', own_name = '', own_group = '', host = '', version = '', capabilities = '[]', interval_us = 0;
DELETE FROM agent_now;
DELETE FROM series;
DELETE FROM open_task;
DELETE FROM topic_total;
DELETE FROM gap WHERE segment_id IN (SELECT id FROM segment WHERE state IN ('open', 'closed')) AND cause NOT IN ({_LOST});
DELETE FROM hours WHERE segment_id IN (SELECT id FROM segment WHERE state IN ('open', 'closed'));
UPDATE segment SET state = 'open', taken_batch = 0, messages = 0, samples = 0, logs = 0, tasks = 0, duplicates = 0,
    dropped = 0, unreadable = 0, payload_bytes = 0 WHERE state IN ('open', 'closed');
"""
_WORDLESS = """DELETE FROM agent WHERE id NOT IN (SELECT agent_id FROM agent_now) AND given_name = '' AND given_group = ''
    AND note = '' AND maintenance_until_us = 0 AND retired_us = 0 AND id NOT IN (SELECT agent_id FROM annotation)"""


def forget_earlier_reading(workspace: Workspace, catalogue: apsw.Connection) -> bool:
    """Where it fell back, let it forget what it derived, so that all segments are taken in anew. Raises the engine's errors."""
    newer: list[tuple[int, int]] = []
    rows: list[Any] = catalogue.execute(_CLOSED).fetchall()
    for id_, generation in rows:
        with contextlib.suppress(*DAMAGE, apsw.SQLError, ValueError):  # told when it is read
            found = _generation(workspace, id_)
            if found > generation:
                newer.append((found, id_))
    if not newer:
        return False
    with transaction(catalogue):
        catalogue.execute(_FORGET)
        catalogue.executemany("UPDATE segment SET generation = ? WHERE id = ?", newer)
    return True


def forget_agents_of_earlier_reading(catalogue: apsw.Connection) -> None:
    """Those whom nobody knows any more, once all is taken in."""
    catalogue.execute(_WORDLESS)


def _generation(workspace: Workspace, id_: int) -> int:
    reader = open_reader(workspace.segment(id_))
    try:
        told: list[Any] = reader.execute("SELECT value FROM meta WHERE key = ?", (GENERATION,)).fetchall()
        return int(told[0][0]) if told else 0
    finally:
        reader.close()
