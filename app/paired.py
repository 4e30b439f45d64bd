"""What belongs to a message, of a workspace: read again with the rules and the declarations of now. Any thread; waits for the
disk."""

from collections.abc import Sequence

from app.why import MOST_DECLARED, prefix_of, rules_in_file
from models.domain.clock import Clock
from models.domain.messages import RawMessage
from models.domain.paired import Marks, Paired
from models.domain.queries import MessageLine
from models.storage.history.why import declared_messages
from models.storage.workspace import Workspace
from mqtt.reading.pairing import marks_of, pair


def marks_of_line(workspace: Workspace, line: MessageLine, clock: Clock) -> Marks:
    """What others that belong to it have in common with it. Raises `EnvironmentProblem` "settings.unreadable", "workspace.*"."""
    declared = declared_messages(workspace, MOST_DECLARED)
    return marks_of(_raw(line), declared, rules_in_file(workspace), prefix_of(workspace), clock)


def pair_lines(
    workspace: Workspace, lines: Sequence[MessageLine], wanted: int, clock: Clock
) -> tuple[Paired | None, Marks]:
    """What the line at that place belongs to, of lines by arrival; and the marks of its request. Raises as `marks_of_line`."""
    declared, rules, prefix = (
        declared_messages(workspace, MOST_DECLARED),
        rules_in_file(workspace),
        prefix_of(workspace),
    )
    found = pair([_raw(line) for line in lines], wanted, declared, rules, prefix, clock)
    if found is None or not found.steps:
        return found, Marks()
    return found, marks_of(_raw(lines[found.steps[0].message]), declared, rules, prefix, clock)


def _raw(line: MessageLine) -> RawMessage:
    return RawMessage(
        line.topic, line.payload, line.qos, line.retain, False, 0, line.properties, line.key.received_us, line.origin, 0
    )  # fmt: skip
