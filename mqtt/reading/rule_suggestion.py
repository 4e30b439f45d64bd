"""A rule to begin with, out of one message and what the user pointed at. Pure."""

import re

from models.domain.json_path import Path, path_text
from models.domain.rules import Meaning, Rule
from mqtt.reading.generic_topics import levels_of, place
from mqtt.reading.units import known_unit, unit_of

_NUMBERED = re.compile(r".*\d.*")


def suggest(topic: bytes, path: Path, means: Meaning) -> Rule:
    """The level that looks like the agent becomes `{agent}`, so that the rule is for all of its kind; a bare number takes its
    name from the last level, as `{metric}`. `path`: where the number, the text or the agent's name stands; empty: the
    payload itself. Raises `RuleError` where the topic cannot be a pattern."""
    levels = [
        level.replace("{", "+").replace("}", "+") if "{" in level or "}" in level else level
        for level in levels_of(topic)
    ]
    levels = ["+" if "+" in level or "#" in level else level for level in levels]
    bare = means is Meaning.NUMBER and not path
    agent = place(levels, bare, lambda _: False).agent.rpartition("/")[2]
    pattern = list(levels)
    named = agent in pattern and pattern.count(agent) == 1
    if named:
        pattern[pattern.index(agent)] = "{agent}"
    if bare and len(pattern) > 1 and pattern[-1] not in ("{agent}", "+"):
        pattern[-1] = "{metric}"
    text = "/".join(pattern)
    if means is Meaning.AGENT:
        if not path:
            return Rule(text, means, "{agent}" if named else agent)
        kinds = [
            "+" if _NUMBERED.fullmatch(level) else level for level in levels
        ]  # gateways, and who speaks through them
        return Rule("/".join(kinds), means, f"$.{path_text(path)}")
    told = path_text(path) if path else ""
    metric = "" if bare else ".".join(part for part in map(str, path) if part) or "value"
    unit = unit_of(metric or levels[-1])[0] if means is Meaning.NUMBER else ""
    return Rule(
        text, means, agent="{agent}" if named else "" if means is Meaning.IGNORE else agent, path=told,
        metric=metric if means is Meaning.NUMBER else "", unit=known_unit(unit) or unit,
    )  # fmt: skip
