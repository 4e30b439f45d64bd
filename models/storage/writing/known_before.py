"""What the recordings before tell the one that begins: as of the start of a writer."""

from dataclasses import dataclass, field
from typing import Any

import apsw

from models.domain.presence_words import Cause, Presence
from models.storage.workspace import Workspace
from models.storage.writing.unacknowledged import read_last_commits

_INTERVALS = """SELECT id, interval_us FROM agent JOIN agent_now ON agent_id = agent.id
    WHERE interval_us > 0 AND NOT imported"""
_GONE = "SELECT agent_id, presence, cause FROM agent_now WHERE presence IN (?, ?) AND NOT imported"
_NEWEST = """SELECT segment.id FROM segment JOIN capture ON capture.id = capture_id
    WHERE state = 'closed' AND kind = 'record' ORDER BY segment.id DESC LIMIT 64"""
_LAST_CAPTURE = """SELECT broker, client_id, EXISTS (SELECT 1 FROM segment WHERE capture_id = capture.id AND messages > 0)
    FROM capture WHERE kind = 'record' ORDER BY id DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class KnownBefore:
    declared_intervals: dict[int, int] = field(default_factory=dict)  # by agent id, in µs
    gone: dict[int, tuple[Presence, Cause]] = field(default_factory=dict)  # by agent id: who was not there
    heard: tuple[str, str] | None = None  # broker and client id of the last recording, if messages came in it
    unacknowledged: set[tuple[int, int]] = field(default_factory=set)
    """Packet id and CRC-32 of topic + payload of what is stored and may be delivered once more."""
    arrived_to: int = 0  # number up to which all arrivals are stored


def read_known_before(workspace: Workspace, catalogue: apsw.Connection) -> KnownBefore:
    """Once everything is mended. Raises the engine's errors."""

    def ask(query: str, *bindings: int) -> list[Any]:
        return catalogue.execute(query, bindings).fetchall()

    last = read_last_commits(workspace, [id_ for (id_,) in ask(_NEWEST)])
    return KnownBefore(
        declared_intervals=declared_intervals(catalogue),
        gone=gone(catalogue),
        heard=next(((broker, client) for broker, client, heard in ask(_LAST_CAPTURE) if heard), None),
        unacknowledged=last.unacknowledged,
        arrived_to=last.arrived_to,
    )


def declared_intervals(catalogue: apsw.Connection) -> dict[int, int]:
    """By agent id, in µs. Raises the engine's errors."""
    rows: list[Any] = catalogue.execute(_INTERVALS).fetchall()
    return dict(rows)


def gone(catalogue: apsw.Connection) -> dict[int, tuple[Presence, Cause]]:
    """By agent id: who was not there. Raises the engine's errors."""
    rows: list[Any] = catalogue.execute(_GONE, (int(Presence.OFFLINE), int(Presence.STOPPED))).fetchall()
    return {agent: (Presence(presence), Cause(cause)) for agent, presence, cause in rows}
