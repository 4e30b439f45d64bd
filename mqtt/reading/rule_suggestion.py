"""A rule to begin with, out of one message and what the user pointed at. Pure."""

import re

from models.domain.json_path import Path, path_text
from models.domain.rules import Meaning, Rule
from mqtt.reading.generic_topics import levels_of, place
from mqtt.reading.units import known_unit, unit_of

_NUMBERED = re.compile(r".*\d.*").fullmatch
_SPECIAL = frozenset("+#{}")


def suggest(topic: bytes, path: Path, means: Meaning) -> Rule:
    """The levels that look like the agent become `{agent}`, so that the rule is for all of its kind; a number is called as it
    would be without a rule, whatever the numbers among its levels. `path`: where the number, the text or the agent's name stands;
    empty: the payload itself. Raises `RuleError` where the topic cannot be a pattern."""
    levels = ["+" if _SPECIAL.intersection(level) else level for level in levels_of(topic)]
    bare = means is Meaning.NUMBER and not path
    found = place(levels, bare, lambda _: False)
    pattern, agent = _with_agent(levels, found.agent)
    metric = ""
    if means is Meaning.NUMBER:
        parts = found.path.split(".") if found.path else []
        if path:
            told = ".".join(part for part in map(str, path) if part).lstrip(
                "$"
            )  # else it would be a place, or name levels
            parts.append(told.replace("{", "(").replace("}", ")") or "value")
        pattern, metric = _with_metric(pattern, parts)
    text = "/".join(pattern)
    if means is Meaning.AGENT:
        if not path:
            return Rule(text, means, agent or found.agent)
        kinds = ["+" if _NUMBERED(level) else level for level in levels]  # gateways, and who speaks through them
        place_told = path_text(path)
        return Rule("/".join(kinds), means, f"${place_told}" if place_told.startswith("[") else f"$.{place_told}")
    unit = unit_of(metric)[0]
    return Rule(
        text, means, agent="" if means is Meaning.IGNORE else agent, path=path_text(path) if path else "", metric=metric,
        unit=known_unit(unit) or unit,
    )  # fmt: skip


def _with_agent(levels: list[str], agent: str) -> tuple[list[str], str]:
    """The pattern, and what a rule calls the agent; of several levels that make one, the last is `{agent}`."""
    parts = agent.split("/")
    if any(levels.count(part) != 1 or part == "+" for part in parts):
        return levels, "" if "+" in parts else agent
    names = [*(f"part{number}" for number in range(1, len(parts))), "agent"]
    told = {part: f"{{{name}}}" for part, name in zip(parts, names, strict=True)}
    return [told.get(level, level) for level in levels], "/".join(told[part] for part in parts)


def _with_metric(pattern: list[str], parts: list[str]) -> tuple[list[str], str]:
    """The pattern with names for the levels that only count (`joint/1/temp`), and what a rule calls the figure."""
    counted = [part for part in parts[:-1] if _NUMBERED(part) and pattern.count(part) == 1]
    named = {part: f"{{n{number}}}" for number, part in enumerate(counted, 1)}
    return [named.get(level, level) for level in pattern], ".".join(named.get(part, part) for part in parts)
