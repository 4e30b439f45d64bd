"""While history was read again, the recorder gave numbers to names of its own: what took the same ones gets others.

Files concerned are written anew as they were before sealing (the recorder seals them later, as what it records itself).
"""

import apsw

from models.domain.clock import Clock
from models.storage.access import create_private_file
from models.storage.copies.merge_copy import Renumbering, renumbering
from models.storage.copies.merge_unsealed import write_unsealed
from models.storage.engine import open_database, open_reader
from models.storage.rereading.shadow import NUMBERED, Shadow
from models.storage.segments.schema import LAYOUT, create_tables
from models.storage.segments.segment_file import remove_files
from models.storage.store_errors import problems_of
from models.storage.transaction import transaction
from models.storage.workspace import Workspace

_COLUMNS = {
    "agent": (
        ("agent", "id"), ("agent_now", "agent_id"), ("series", "agent_id"), ("open_task", "agent_id"), ("gap", "agent_id"),
        ("topic_total", "agent_id"), ("heard_before", "agent_id"),
    ),
    "series": (("series", "id"),),
}  # fmt: skip
_UNSEALED = "UPDATE segment SET layout = ?, bytes = ?, unsealed_bytes = 0 WHERE id = ?"


def renumber(workspace: Workspace, clock: Clock) -> None:
    """As `RereadWriter.number` has said. Raises `EnvironmentProblem` store.*"""
    with problems_of(workspace.rereading):
        shadow = Shadow.reopen(workspace, clock)
        if shadow is None:
            raise FileNotFoundError(f"{workspace.rereading} is gone")
        try:
            pairs = {name: dict(shadow.rows(f"SELECT old, new FROM new_{name}")) for name in NUMBERED}
            for id_ in shadow.segments():
                _renumber_file(shadow, id_, pairs)
            with transaction(shadow.connection):
                for name, columns in _COLUMNS.items():
                    _renumber_rows(shadow.connection, name, columns)
            shadow.settle()
        finally:
            shadow.close()


def _renumber_file(shadow: Shadow, id_: int, pairs: dict[str, dict[int, int]]) -> None:
    path, made = shadow.file_of(id_), shadow.workspace.segment(id_)
    reader = open_reader(path, immutable=True)
    try:
        topics = [int(one) for (one,) in reader.execute("SELECT id FROM topic")]
        named = {name: [int(one) for (one,) in reader.execute(f"SELECT id FROM {name}")] for name in NUMBERED}
    finally:
        reader.close()
    if all(pairs[name].get(one, one) == one for name, ids in named.items() for one in ids):
        return
    ids = Renumbering(
        renumbering((one, one) for one in topics),
        *(renumbering((one, pairs[name].get(one, one)) for one in named[name]) for name in NUMBERED),
    )
    remove_files(made)
    create_private_file(made)
    database = open_database(made, create=True)
    try:
        create_tables(database)
        database.connection().pragma("journal_mode", "DELETE")
    finally:
        database.close()
    write_unsealed(path, made, ids, lambda _: None)
    made.replace(path)
    shadow.connection.execute(_UNSEALED, (LAYOUT, path.stat().st_size, id_))


def _renumber_rows(connection: apsw.Connection, name: str, columns: tuple[tuple[str, str], ...]) -> None:
    """By way of numbers that nobody has."""
    for table, column in columns:
        connection.execute(
            f"""UPDATE {table} SET {column} = -n.new FROM new_{name} AS n WHERE n.old = {table}.{column}"""
        )
        connection.execute(f"UPDATE {table} SET {column} = -{column} WHERE {column} < 0")
