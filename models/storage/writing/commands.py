"""What a user changes about agents, in the catalogue: first into the audit, then in effect, in one transaction."""

import json
from collections.abc import Mapping, Sequence

import apsw

from models.domain.control import Command
from models.domain.names import Names
from models.domain.problems import trouble
from models.storage.names_table import storable
from models.storage.transaction import transaction

_MOST_TEXT = 10_000
_FIELDS = {
    Command.RENAME: ("given_name", "name", str),
    Command.GROUP: ("given_group", "group", str),
    Command.NOTE: ("note", "note", str),
    Command.MAINTENANCE: ("maintenance_until_us", "until_us", int),
    Command.RETIRE: ("retired_us", "retired", bool),
}


def submit_commands(
    catalogue: apsw.Connection, names: Names, commands: Sequence[Mapping[str, object]], now_us: int
) -> None:
    """All of them or none; they are durable when this returns.

    Raises `EnvironmentProblem` agent.unknown, and `ValueError` for what is no command.
    """
    changes = [_change(names, command, now_us) for command in commands]
    with transaction(catalogue):
        catalogue.executemany(
            "INSERT INTO audit(time_us, command) VALUES (?, ?)",
            [(now_us, storable(json.dumps(dict(command), ensure_ascii=False))) for command in commands],
        )
        for column, value, agent in changes:
            catalogue.execute(f"UPDATE agent SET {column} = ? WHERE id = ?", (value, agent))


def _change(names: Names, command: Mapping[str, object], now_us: int) -> tuple[str, str | int | None, int]:
    try:
        column, key, kind = _FIELDS[Command(str(command.get("do")))]
    except ValueError as error:
        raise ValueError(f"no such command: {command.get('do')!r}") from error
    agent, value = command.get("agent"), command.get(key)
    if not isinstance(agent, str) or type(value) is not kind:
        raise ValueError(f"{command.get('do')} wants agent (text) and {key} ({kind.__name__})")
    id_ = names.known_agent(agent)
    if not id_:
        raise trouble("agent.unknown", agent=agent)
    if isinstance(value, bool):
        return column, now_us if value else 0, id_
    if isinstance(value, int):
        return column, max(0, min(value, 1 << 62)), id_
    return column, storable(str(value)[:_MOST_TEXT]), id_
