"""What there is to be read again, capture by capture, in the order in which they were made."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.domain.messages import RawMessage
from models.domain.presence_words import Presence
from models.storage.history.store_view import read_catalogue
from models.storage.rereading.shadow import Shadow
from models.storage.workspace import Workspace
from models.storage.writing.remembered import read_remembered

_CLOSED = """SELECT segment.id, capture_id, messages, first_us, coalesce(kind, 'record'), coalesce(broker, ''),
    coalesce(started_us, 0) FROM segment LEFT JOIN capture ON capture.id = capture_id WHERE state = 'closed'
    ORDER BY capture_id, segment.id"""
_THERE = "SELECT agent_id FROM agent_now WHERE presence IN (?, ?) AND NOT imported ORDER BY 1"


@dataclass(slots=True)
class Capture:
    """`imported`: it was not recorded here. `traffic`: it was a file of recorded traffic, with a clock of its own. `earlier`
    and `later`: segments of it before and behind those that are read again."""

    id: int
    imported: bool
    traffic: bool
    broker: str
    started_us: int
    segments: list[int] = field(default_factory=list)
    earlier: list[int] = field(default_factory=list)
    later: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Wanted:
    """`remembered`: messages from before all of it, which outlived their segments."""

    captures: list[Capture]
    messages: int
    remembered: list[RawMessage]


def wanted(workspace: Workspace, segments: Sequence[int]) -> Wanted:
    """Of closed segments. Raises the problems of `read_catalogue`, and the engine's errors."""
    some = set(segments)
    captures: dict[int, Capture] = {}
    messages, first_us = 0, 1 << 62
    reader = read_catalogue(workspace)
    try:
        for id_, capture, n, began_us, kind, broker, started_us in reader.execute(_CLOSED):
            imported = kind == "import"
            one = captures.setdefault(capture, Capture(capture, imported, imported and not broker, broker, started_us))
            if id_ in some:
                one.segments.append(id_)
                messages, first_us = messages + n, min(first_us, began_us)
            else:
                (one.later if one.segments else one.earlier).append(id_)
        kept = [message for message in read_remembered(reader) if message.received_us < first_us]
    finally:
        reader.close()
    return Wanted(list(captures.values()), messages, kept)


def present(shadow: Shadow) -> list[int]:
    """Agents that are there as far as all that was read tells."""
    return [int(agent) for (agent,) in shadow.rows(_THERE, int(Presence.ONLINE), int(Presence.LATE))]
