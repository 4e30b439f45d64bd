"""Commands to agents in `tasks.db`: noted before they are published."""

from typing import Any

import apsw

from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.work import Sending

_COLUMNS = "id, agent, name, arguments, asked_us, sending, state, answered_us, answer"
_PUT = f"INSERT OR REPLACE INTO agent_command ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def put_command(connection: apsw.Connection, one: AgentCommand) -> None:
    """A new one, or as it stands now."""
    connection.execute(
        _PUT,
        (
            one.id,
            one.agent,
            one.name,
            one.arguments,
            one.asked_us,
            int(one.sending),
            one.state,
            one.answered_us,
            one.answer,
        ),
    )


def commands(connection: apsw.Connection, where: str = "1", *bindings: Any) -> list[AgentCommand]:
    """Those that `where` (SQL of ours) names."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM agent_command WHERE {where}", bindings).fetchall()
    return [_command(*row) for row in rows]


def _command(
    id_: Any, agent: Any, name: Any, arguments: Any, asked_us: Any, sending: Any, state: Any, answered_us: Any, answer: Any
) -> AgentCommand:  # fmt: skip
    return AgentCommand(id_, agent, name, arguments, asked_us, Sending(sending), state, answered_us, answer)
