"""Rules of the user's, bound to one topic: what of them can be known beforehand is."""

from array import array
from collections.abc import Mapping

from models.domain.json_path import Path, parse_path, value_at
from models.domain.messages import RawMessage
from models.domain.rules import Meaning, Rule, Text
from models.domain.timestamps import read_time
from mqtt.reading.units import Scale

TIMES = ("ts", "time", "timestamp", "@timestamp", "t")
MOST_FIGURES = 4_000
"""Of one rule and topic, known by heart."""


class BoundRule:
    """A rule with the named levels of a topic."""

    __slots__ = (
        "agent",
        "agent_text",
        "figures",
        "levels",
        "metric",
        "metric_text",
        "names_agent",
        "path",
        "rule",
        "time",
    )

    def __init__(self, rule: Rule, levels: Mapping[str, str]) -> None:
        self.rule, self.levels = rule, levels
        self.path, self.time = parse_path(rule.path), parse_path(rule.time)
        self.agent_text, self.metric_text = rule.text("agent"), rule.text("metric")
        self.agent = self._settled(self.agent_text) if self.agent_text is not None else levels.get("agent")
        self.names_agent = self.agent_text is not None or self.agent is not None
        self.metric = levels.get("metric") or ".".join(map(str, self.path)) or "value"
        if self.metric_text is not None:
            told = self._settled(self.metric_text)
            if told is not None:
                self.metric, self.metric_text = told, None
        self.figures: dict[tuple[str, str], tuple[int, array[int], Scale | None]] = {}
        """By agent and metric: the agent's id, the series, and how a value comes into its unit."""

    def _settled(self, said: Text | None) -> str | None:
        return said.of(self.levels, None) if said is not None and said.path is None else None

    def text(self, key: str, body: object) -> str | None:
        said = self.rule.text(key)
        return said.of(self.levels, body) if said is not None else None

    def agent_of(self, body: object) -> str | None:
        """Whom the rule names; None where it names nobody, or the payload lacks the place."""
        if self.agent is None and self.agent_text is not None:
            return self.agent_text.of(self.levels, body)
        return self.agent


def first_of_each(rules: list[BoundRule]) -> list[BoundRule]:
    """Of those that say the same of the same place, the first: it is the one that was made last."""
    met: set[tuple[Meaning, Path]] = set()
    found = []
    for one in rules:
        key = one.rule.means, () if one.rule.means is Meaning.LOG else one.path
        if one.rule.means is Meaning.AGENT or key not in met:  # one that finds nobody leaves it to the next
            found.append(one)
            met.add(key)
    return found


def time_of(one: BoundRule, body: object, message: RawMessage) -> int:
    """The payload's own time where the rule or a usual key names one and it is plausible, else arrival."""
    if one.time:
        found = read_time(value_at(body, one.time), message.received_us)
        return message.received_us if found is None else found
    if isinstance(body, dict):
        for key in TIMES:
            if key in body and (found := read_time(body[key], message.received_us)) is not None:
                return found
    return message.received_us
