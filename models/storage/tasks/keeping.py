"""How long what was given is kept: tasks that have ended go with their history, oldest first, and so do commands."""

import apsw

SLICE = 500
"""Tasks that go in one transaction."""
MOST_BYTES = 1 << 30
"""Beyond this the oldest go, however young."""
_OLD = """SELECT id FROM task WHERE created_us < ?1 AND ended_us > 0 AND ended_us < ?1
    AND NOT EXISTS (SELECT 1 FROM task AS whole WHERE whole.id = task.parent AND whole.ended_us = 0)
    ORDER BY created_us, id LIMIT ?2"""
_FOREVER_US = 1 << 62


def remove_old(connection: apsw.Connection, before_us: int, most_bytes: int = MOST_BYTES) -> int:
    """What ended before that, and parts of what is open never; answers how many tasks went: fewer than `SLICE`, and there is no
    more of it. Within a transaction."""
    pages = int(connection.pragma("page_count")) - int(connection.pragma("freelist_count"))
    too_much = pages * int(connection.pragma("page_size")) > most_bytes
    found = connection.execute(_OLD, (_FOREVER_US if too_much else before_us, SLICE)).fetchall()
    for statement in ("DELETE FROM task_step WHERE task = ?", "DELETE FROM task WHERE id = ?"):
        connection.executemany(statement, found)
    connection.execute("DELETE FROM agent_command WHERE asked_us < ?", (before_us,))
    return len(found)
