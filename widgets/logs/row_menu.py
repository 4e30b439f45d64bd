"""What a log record offers: to look for what it holds, to leave that out, and to see what happened around it."""

import json

from PySide6.QtCore import QCoreApplication

from models.domain.log_json import attributes_of
from models.domain.queries import LogLine
from models.domain.search.patterns import beginning
from models.domain.search.terms import Anywhere, Comparison, FieldIs, LevelIs, Not, Place, Term, attribute
from models.domain.search.writing import written
from widgets.common.plain import visible
from widgets.common.words import level_word

_IN_MENU, _LONGEST_SAID = 40, 500
_TASKS = (
    "task", "task_id", "taskId", "task.id", "trace_id", "traceId", "trace.id", "request_id", "requestId", "correlation_id",
    "correlationId", "conversation", "conversation_id", "conversationId", "session_id", "sessionId",
)  # fmt: skip
"""Attributes that say what a record belongs to, the narrowest first."""

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def narrowings(line: LogLine, agent_id: str, agent: str) -> list[tuple[str, Term]]:
    """Entries and the condition that each adds. `agent_id` as exports name it, `agent` as the window does."""
    level = translate("RowMenu", "Only level {level}").replace("{level}", level_word(line.level))
    found: list[tuple[str, Term]] = []
    if line.agent:
        text = translate("RowMenu", "All but {agent}").replace("{agent}", agent)
        found.append((text, Not(FieldIs(Place.AGENT, (agent_id,)))))
    found.append((level, LevelIs(Comparison.IS, line.level)))
    if line.logger:
        told, term = visible(line.logger, _IN_MENU), FieldIs(Place.LOGGER, beginning(line.logger))
        found.append((translate("RowMenu", "Only logger {logger}").replace("{logger}", told), term))
        found.append((translate("RowMenu", "All but logger {logger}").replace("{logger}", told), Not(term)))
    if line.text:
        said = Anywhere(line.text[:_LONGEST_SAID])
        found.append((translate("RowMenu", "Only this text"), said))
        found.append((translate("RowMenu", "All but this text"), Not(said)))
    return found


def surroundings(line: LogLine, agent_id: str, agent: str) -> list[tuple[str, str]]:
    """Entries and the query of each: everybody's records, those of its agent, those of its task."""
    found = [(translate("RowMenu", "Records of everybody"), "")]
    if line.agent:
        text = translate("RowMenu", "Records of {agent}").replace("{agent}", agent)
        found.append((text, written(FieldIs(Place.AGENT, (agent_id,)))))
    attributes = attributes_of(line)
    for name in _TASKS:
        value = attributes.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            said = value if isinstance(value, str) else json.dumps(value)
            text = translate("RowMenu", "Records with {field} {value}").replace("{field}", name)
            found.append(
                (text.replace("{value}", visible(said, _IN_MENU)), written(FieldIs(attribute(name), beginning(said))))
            )
            break
    return found
