"""Why messages are read as they are: of which topics series come, who claims a topic, which rules fit. Pure."""

from collections.abc import Sequence

from models.domain.clock import Clock
from models.domain.messages import RawMessage
from models.domain.names import Names
from models.domain.origins import MessageWhy, RowOrigin, SeriesSource
from models.domain.rules import Meaning, Rules
from mqtt.reading.reader import Reader
from mqtt.reading.rule_preview import preview
from mqtt.reading.rule_reading import SOURCE as RULE

_MEANINGS = {"log": Meaning.LOG, "presence": Meaning.STATUS}
"""Of rules that make rows which are no figures."""


def series_sources(
    agent: str, newest: Sequence[RawMessage], declared: Sequence[RawMessage], rules: Rules, prefix: str, clock: Clock
) -> dict[str, SeriesSource]:
    """By metric with its labels, as a preview calls it; of those that these messages hold. They are read again for it, and
    nothing is stored."""
    found: dict[str, SeriesSource] = {}
    for row in preview(newest, rules, prefix, clock, declared):
        if row.agent != agent or isinstance(row.value, str):
            continue
        source = found.setdefault(row.what, SeriesSource())
        topic = newest[row.message].topic
        if topic in source.topics:
            continue
        source.topics.append(topic)
        if row.source == RULE:
            fitting = _fitting(topic, rules, Meaning.NUMBER)
            source.rules += [number for number in fitting if number not in source.rules]
    return found


def message_why(
    message: RawMessage, declared: Sequence[RawMessage], rules: Rules, prefix: str, clock: Clock
) -> MessageWhy:
    """What a message is read as with these rules, and why."""
    rows, topic = [], message.topic
    for row in preview([message], rules, prefix, clock, declared):
        figure = not isinstance(row.value, str)
        wanted = Meaning.NUMBER if figure else _MEANINGS.get(row.what)
        numbers = _fitting(topic, rules, wanted) if wanted is not None and (not figure or row.source == RULE) else []
        source = row.source if figure else RULE if numbers else ""
        rows.append(RowOrigin(row.agent, row.what, row.value, row.unit, source, numbers))
    reader = Reader(Names(), prefix, clock)
    reader.recall(declared)
    reader.read([message])
    source = reader.claimed_by(message)
    rows = [row if row.source else row._replace(source=source) for row in rows]
    ignored = rules.ignores(topic.decode("utf-8", "replace"))
    return MessageWhy(topic, source, _fitting(topic, rules), ignored, rows, rules)


def _fitting(topic: bytes, rules: Rules, means: Meaning | None = None) -> list[int]:
    """Numbers of the rules whose pattern fits, of all meanings or of one."""
    text = topic.decode("utf-8", "replace")
    return [
        number
        for number, rule in enumerate(rules.rules, 1)
        if means in (None, rule.means) and rule.pattern.match(text) is not None
    ]
