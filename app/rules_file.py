"""`rules.toml` of a workspace: mapping rules, readable, with whatever comments their author wrote.

[[rule]]
topic = "plant/{agent}/{metric}"
means = "number"

[same]
"plug-2" = "kitchen-plug"
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit
from tomlkit.items import AoT

from app.toml_file import TomlFile
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.rules import MOST_RULES, Rule, RuleError, Rules, rule_of, same_names

_BEGINS = re.compile(r"\s*\[\[\s*(rule|\"rule\"|'rule')\s*\]\]").match
_HEADING = "Mapping rules of this workspace; they win over what Murmurscope reads by itself."


class LoadedRules(NamedTuple):
    """What a file says. `problems`: rules that make no sense, each told; the others are in force."""

    rules: Rules
    problems: list[Problem]


class RulesFile:
    """Reads and changes one file. One thread at a time; other processes see the old file or the new one, never a half."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = TomlFile(path, _HEADING)

    def load(self) -> LoadedRules:
        """Raises `EnvironmentProblem` "settings.unreadable" where the file cannot be read as a whole."""
        document = self._file.read().unwrap()
        rules: list[Rule] = []
        problems: list[Problem] = []
        tables = document.get("rule", [])
        if not isinstance(tables, list):
            raise self._file.unreadable("rule is no list of tables: begin each with [[rule]]")
        lines = _lines(self._path, len(tables))
        for number, (said, line) in enumerate(zip(tables, lines, strict=True), 1):
            try:
                if number > MOST_RULES:
                    raise RuleError(f"there are more than {MOST_RULES}")
                rules.append(rule_of(said))
            except RuleError as error:
                problems.append(self._bad(f"rule {number}{line}", error))
                if number > MOST_RULES:
                    break
        same: dict[str, str] = {}
        try:
            same = same_names(_pairs(document.get("same", {})))
        except RuleError as error:
            problems.append(self._bad("[same]", error))
        unknown = [key for key in document if key not in ("rule", "same")]
        if unknown:
            problems.append(self._bad(unknown[0], RuleError("only [[rule]] and [same] are known")))
        return LoadedRules(Rules(tuple(rules), same), problems)

    def begin(self) -> None:
        """Have a file, were it an empty one, for who wants to edit it."""
        self._file.write(self._file.new(), only_new=True)

    def apply(self, other: Path) -> LoadedRules:
        """Take over another file as it is, comments included, where all of it makes sense; else change nothing and raise its
        first problem."""
        found = RulesFile(other).load()
        if found.problems:
            raise EnvironmentProblem(found.problems[0])
        self._file.write(TomlFile(other, _HEADING).read())
        return found

    def add(self, rule: Rule, number: int = 1) -> None:
        """Put it before all others, as the newest word wins; or where `number`, counted from 1, says."""
        document = self._file.read()
        table = tomlkit.table()
        table.update(rule.said())
        others = document.get("rule")
        if isinstance(others, AoT):
            others.insert(number - 1, table)
        else:
            found = tomlkit.aot()
            found.append(table)
            document.append("rule", found)
        self._file.write(document)

    def add_same(self, name: str, agent: str) -> None:
        """`name` is the agent `agent`. Raises `RuleError` where that makes a circle."""
        document = self._file.read()
        pairs = [*_pairs(document.unwrap().get("same", {})), (name, agent)]
        same_names(pairs)
        if "same" not in document:
            document.append("same", tomlkit.table())
        table: Any = document["same"]
        table[name] = agent
        self._file.write(document)

    def remove(self, rule: Rule) -> int:
        """Take this rule out, once; its number was this, counted from 1. 0: it was not there any more."""
        document = self._file.read()
        rules: Any = document.get("rule", [])
        number = next((number for number, said in enumerate(rules, 1) if _is(said, rule)), 0)
        if number:
            del rules[number - 1]
            if not rules:
                document.pop("rule")
            self._file.write(document)
        return number

    def remove_same(self, name: str) -> None:
        document = self._file.read()
        table: Any = document["same"]
        table.pop(name, None)
        self._file.write(document)

    def _bad(self, where: str, error: RuleError) -> Problem:
        return Problem("rules.bad", {"path": str(self._path), "where": where, "detail": str(error)})


def _lines(path: Path, count: int) -> list[str]:
    """Where each rule begins, to be told; nothing where they are written otherwise than as [[rule]]."""
    text = path.read_text(encoding="utf-8", errors="replace") if count else ""
    found = [f" (line {at})" for at, line in enumerate(text.splitlines(), 1) if _BEGINS(line)]
    return found if len(found) == count else [""] * count


def _is(said: Any, rule: Rule) -> bool:
    try:
        return rule_of(said.unwrap()) == rule
    except RuleError:
        return False


def _pairs(said: object) -> list[tuple[str, str]]:
    if not isinstance(said, dict) or not all(isinstance(agent, str) and agent for agent in said.values()):
        raise RuleError('it holds pairs such as "plug-2" = "kitchen-plug"')
    return list(said.items())
