"""Mapping rules: what the user says of topics that are read wrongly, or not at all. They win over everything we know.

A rule has a topic pattern, whose levels may have names (`plant/{agent}/{metric}`), and one meaning. Texts of a rule may name
those levels in braces, or a place in the payload (`$.meta.host`). Values and files are checked where a rule is made.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, NamedTuple

from models.domain.json_path import NOTHING, Path, number_in, parse_path, value_at
from models.domain.names import SeriesKind
from models.domain.records import Level

MOST_RULES = 1_000
LONGEST_TEXT = 500
_NAME = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDER = re.compile(r"[^\W\d]\w*")
_MOST_NAMES_OF_LEVEL, _LONGEST_PART = 2, 256
_KINDS = {"gauge": SeriesKind.GAUGE, "counter": SeriesKind.COUNTER}
_LEVELS = {level.name.lower(): level for level in Level}


class Meaning(StrEnum):
    """What a rule says of the messages it matches."""

    NUMBER = "number"  # one figure of the payload is this metric; what else is in it is read as without the rule
    AGENT = "agent"  # they are this agent's, and read as without the rule
    LOG = "log"  # each is a log record
    STATUS = "status"  # each says whether the agent is there
    IGNORE = "ignore"  # they are stored, and nothing is derived


class RuleError(ValueError):
    """A sentence for whoever wrote the rule."""


class TopicPattern:
    """An MQTT filter in which `{name}` stands for one level, or a part of one, that gets a name."""

    def __init__(self, text: str) -> None:
        """Raises `RuleError`."""
        self.text = text
        self.names = _NAME.findall(text)
        if not text or len(text) > LONGEST_TEXT:
            raise RuleError("topic is missing" if not text else f"topic is longer than {LONGEST_TEXT} characters")
        if bad := [one for one in self.names if not _PLACEHOLDER.fullmatch(one)]:
            raise RuleError(f"“{{{bad[0]}}}” in the topic is no name; letters, digits and _ make one")
        if len(set(self.names)) < len(self.names):
            raise RuleError("two levels of the topic have the same name")
        levels = text.split("/")
        for place, level in enumerate(levels):
            if "#" in level and (level != "#" or place < len(levels) - 1):
                raise RuleError("# may only be the last level of the topic")
            if len(_NAME.findall(level)) > _MOST_NAMES_OF_LEVEL or "}{" in level:
                raise RuleError("a level of the topic may have two names at most, with something between them")
            if "+" in level and level != "+":
                raise RuleError("+ has to be a whole level of the topic")
        self._matches = re.compile(_expression(levels), re.DOTALL).fullmatch

    @property
    def filter(self) -> str:
        """The MQTT filter that takes in all it matches."""
        return "/".join("+" if "{" in level else level for level in self.text.split("/"))

    @property
    def beginning(self) -> str:
        """What every topic begins with that it matches."""
        return re.split("/?[{+#\ufffd]", self.text, maxsplit=1)[0]  # which stands for bytes that are no text

    def match(self, topic: str) -> dict[str, str] | None:
        """The named levels of a topic; None where it is another."""
        found = self._matches(topic)
        return None if found is None else found.groupdict()


def _expression(levels: Sequence[str]) -> str:
    parts = []
    for level in levels:
        if level == "#":
            parts.append(r".*")
        elif level == "+":
            parts.append(r"[^/]*")
        else:
            pieces = re.split(r"\{(\w+)\}", level)
            whole = len(pieces) == 3 and not pieces[0] and not pieces[-1]
            most = "+" if whole else f"{{1,{_LONGEST_PART}}}"
            named = (rf"(?P<{one}>[^/]{most})" if at % 2 else re.escape(one) for at, one in enumerate(pieces))
            parts.append(rf"(?>{''.join(named)}(?=/|\Z))")  # a level is settled by itself, so that no topic takes long
    text = "/".join(parts)
    return text[: -len("/.*")] + "(?:/.*)?" if len(levels) > 1 and levels[-1] == "#" else text


class Text:
    """A fixed text, one with named levels in it, or a place in the payload (`$.a.b`)."""

    def __init__(self, text: str, names: Sequence[str], what: str) -> None:
        """Raises `RuleError`; `what` is the key it stands under."""
        self._text = text
        self.path: Path | None = None
        if text.startswith("$"):
            self.path = path_of(text, what)
        elif missing := [one for one in _NAME.findall(text) if one not in names]:
            raise RuleError(f"{what} names “{{{missing[0]}}}”, and no level of the topic is called so")

    def of(self, levels: Mapping[str, str], body: object) -> str | None:
        """None where there is nothing such in the payload."""
        if self.path is None:
            return _NAME.sub(lambda found: levels[found[1]], self._text)
        value = value_at(body, self.path)
        if value is NOTHING or isinstance(value, dict | list | bool) or value is None:
            return None
        return str(value) or None


def path_of(text: str, what: str) -> Path:
    """Raises `RuleError`."""
    try:
        return parse_path(text)
    except ValueError as error:
        raise RuleError(f"{what}: {error}") from None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it stands in the file; "" is not said. `path`: place of the number, the log's text or the status word; none:
    the payload itself. `unit` is that of the payload; a number is multiplied by `scale` before. Raises `RuleError`."""

    topic: str
    means: Meaning
    agent: str = ""
    path: str = ""
    metric: str = ""
    unit: str = ""
    scale: float = 1.0
    kind: str = ""
    time: str = ""
    level: str = ""
    logger: str = ""
    online: str = ""
    pattern: TopicPattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", TopicPattern(self.topic))
        names = self.pattern.names
        for key in ("agent", "metric", "level", "logger"):
            Text(getattr(self, key), names, key)
        for key in ("path", "time"):
            path_of(getattr(self, key), key)
        if self.means is Meaning.AGENT and not self.agent:
            raise RuleError("agent is missing: the name, {a level of the topic} or $.a.place in the payload")
        if self.kind and self.kind not in _KINDS:
            raise RuleError(f"kind “{self.kind}” is neither gauge nor counter")
        if self.level and self.level[:1] not in "${" and self.level not in _LEVELS:
            raise RuleError(f"level “{self.level}” is none of {', '.join(_LEVELS)}")
        if not 0 < abs(self.scale) < float("inf"):
            raise RuleError("scale has to be a number other than 0")

    @property
    def series_kind(self) -> SeriesKind | None:
        return _KINDS.get(self.kind)

    @property
    def fixed_level(self) -> Level | None:
        return _LEVELS.get(self.level)

    def text(self, key: str) -> Text | None:
        """One of agent, metric, level, logger; None where it is not said."""
        said = getattr(self, key)
        return Text(said, self.pattern.names, key) if said else None

    def as_line(self) -> str:
        """On one line, in the words of its file."""
        said = {key: value for key, value in self.said().items() if key not in ("topic", "means")}
        return f"{self.topic} means {self.means}" + "".join(f", {key} {value}" for key, value in said.items())

    def said(self) -> dict[str, Any]:
        """What differs from a rule that says nothing, as the file has it."""
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.init}
        return {
            key: str(value) if key == "means" else value
            for key, value in values.items()
            if value not in ("", 1.0) or key in ("topic", "means")
        }


_KEYS = {one.name: one.type for one in fields(Rule) if one.init}


def rule_of(said: object) -> Rule:
    """A rule out of a table of the file. Raises `RuleError`."""
    if not isinstance(said, dict):
        raise RuleError("it is no table")
    if unknown := [key for key in said if key not in _KEYS]:
        raise RuleError(f"“{unknown[0]}” is no key of a rule; there are {', '.join(_KEYS)}")
    if said.get("means") not in list(Meaning):
        raise RuleError(f"means has to be one of {', '.join(Meaning)}")
    values = dict(said, means=Meaning(said["means"]))
    for key, value in values.items():
        if key == "scale":
            if (number := number_in(value)) is None:
                raise RuleError("scale is no number")
            values[key] = number
        elif not isinstance(value, str) or len(value) > LONGEST_TEXT:
            raise RuleError(f"{key} is no text of {LONGEST_TEXT} characters at most")
    if "topic" not in values:
        raise RuleError("topic is missing")
    return Rule(**values)


class SameAgent(NamedTuple):
    """`name` is what messages call the agent whose own name is `agent`."""

    name: str
    agent: str


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules in force. `same`: a name that agents are called by, and the agent it stands for."""

    rules: tuple[Rule, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)

    def ignores(self, topic: str) -> bool:
        """Whether nothing is to be derived of a topic's messages."""
        return any(rule.means is Meaning.IGNORE and rule.pattern.match(topic) is not None for rule in self.rules)

    def of(self, topic: str) -> list[tuple[Rule, dict[str, str]]]:
        """Those that match, in order, each with the named levels."""
        return [(rule, levels) for rule in self.rules if (levels := rule.pattern.match(topic)) is not None]

    def changed(self, old: "Rule | SameAgent", new: "Rule | SameAgent") -> "Rules":
        """These with one of them said otherwise: a rule in its place. Raises `RuleError` where names go in a circle."""
        if isinstance(new, Rule):
            return Rules(tuple(new if one == old else one for one in self.rules), self.same)
        others = [pair for pair in self.same.items() if pair != old]
        return Rules(self.rules, same_names([*others, new]))

    def taught(self, said: Rule | SameAgent) -> "Rules":
        """These, and before them what was said last. Raises `RuleError` where names go in a circle."""
        if isinstance(said, Rule):
            return Rules((said, *self.rules), self.same)
        return Rules(self.rules, same_names([*self.same.items(), said]))


def same_names(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """(name, agent) with chains followed: a is b, b is c make a c. Raises `RuleError` where they go in a circle."""
    told = dict(pairs)
    found = {}
    for name, end in told.items():
        seen = {name}
        while end in told:
            if end in seen:
                raise RuleError(f"“{name}” and “{end}” are said to be each other")
            seen.add(end)
            end = told[end]  # noqa: PLW2901 - followed
        found[name] = end
    return found
