"""What a user changes about agents and marks in time, in the catalogue: first into the audit, then in effect, in one
transaction."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import apsw

from models.domain.control import Command
from models.domain.names import Names
from models.domain.problems import trouble
from models.storage.names_table import storable
from models.storage.transaction import transaction
from models.storage.writing.annotations import id_from, kept_from, put_annotation, remove_annotation

_MOST_TEXT = 10_000
_FIELDS = {
    Command.RENAME: ("given_name", "name", str),
    Command.GROUP: ("given_group", "group", str),
    Command.NOTE: ("note", "note", str),
    Command.MAINTENANCE: ("maintenance_until_us", "until_us", int),
    Command.RETIRE: ("retired_us", "retired", bool),
}
_Change = Callable[[apsw.Connection], object]


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
        for change in changes:
            change(catalogue)


def _change(names: Names, command: Mapping[str, object], now_us: int) -> _Change:
    try:
        what = Command(str(command.get("do")))
    except ValueError as error:
        raise ValueError(f"no such command: {command.get('do')!r}") from error
    match what:
        case Command.ANNOTATE:
            kept = kept_from(command, now_us)
            agent = _known(names, kept.agent) if kept.agent else 0
            return lambda catalogue: put_annotation(catalogue, kept, agent)
        case Command.UNANNOTATE:
            return partial(remove_annotation, id_=id_from(command))
        case _:
            return _of_agent(names, what, command, now_us)


def _of_agent(names: Names, what: Command, command: Mapping[str, object], now_us: int) -> _Change:
    column, key, kind = _FIELDS[what]
    agent, value = command.get("agent"), command.get(key)
    if not isinstance(agent, str) or type(value) is not kind:
        raise ValueError(f"{what} wants agent (text) and {key} ({kind.__name__})")
    stored: str | int | None
    if isinstance(value, bool):
        stored = now_us if value else 0
    elif isinstance(value, int):
        stored = max(0, min(value, 1 << 62))
    else:
        stored = storable(str(value)[:_MOST_TEXT])
    id_ = _known(names, agent)
    return lambda catalogue: catalogue.execute(f"UPDATE agent SET {column} = ? WHERE id = ?", (stored, id_))


def _known(names: Names, agent: str) -> int:
    id_ = names.known_agent(agent)
    if not id_:
        raise trouble("agent.unknown", agent=agent)
    return id_
