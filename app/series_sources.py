"""Which topics an agent's series come of, and by which rules: its newest messages are read again, and nothing is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.domain.clock import Clock
from models.domain.messages import RawMessage
from models.domain.rules import Meaning, Rules
from mqtt.reading.rule_preview import preview


@dataclass(slots=True)
class SeriesSource:
    """`rules`: numbers as `rules list` counts, of those for numbers whose pattern fits; empty where none made it."""

    topics: list[bytes] = field(default_factory=list)
    rules: list[int] = field(default_factory=list)


def series_sources(
    agent: str, newest: Sequence[RawMessage], declared: Sequence[RawMessage], rules: Rules, prefix: str, clock: Clock
) -> dict[str, SeriesSource]:
    """By metric with its labels, as a preview calls it; of those that these messages hold."""
    found: dict[str, SeriesSource] = {}
    for row in preview(newest, rules, prefix, clock, declared):
        if row.agent != agent or isinstance(row.value, str):
            continue
        source = found.setdefault(row.what, SeriesSource())
        topic = newest[row.message].topic
        if topic in source.topics:
            continue
        source.topics.append(topic)
        if row.by_rule:
            source.rules += [number for number in _numbers(topic, rules) if number not in source.rules]
    return found


def _numbers(topic: bytes, rules: Rules) -> list[int]:
    text = topic.decode("utf-8", "replace")
    return [
        number
        for number, rule in enumerate(rules.rules, 1)
        if rule.means is Meaning.NUMBER and rule.pattern.match(text) is not None
    ]
