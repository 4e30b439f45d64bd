"""`rules.toml` of a workspace: mapping rules, readable, with whatever comments their author wrote.

[[rule]]
topic = "plant/{agent}/{metric}"
means = "number"

[same]
"plug-2" = "kitchen-plug"
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit

from app.rule_blocks import blocks_of, rule_lines
from app.toml_file import TomlFile
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.rules import MOST_RULES, Rule, RuleError, Rules, rule_of, same_names

_HEADING = "Mapping rules of this workspace; they win over what Murmurscope reads by itself."


class LoadedRules(NamedTuple):
    """What a file says. `problems`: rules that make no sense, each told; the others are in force."""

    rules: Rules
    problems: list[Problem]


class Change(NamedTuple):
    """What the whole file said before a change, and what after it."""

    before: str
    after: str


class _Piece(NamedTuple):
    """A rule as it stands, with the comments above it ("" where they cannot be told), and what it says."""

    text: str
    said: dict[str, Any]


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

    # ------------------------------------------------------------ changes

    def add(self, rule: Rule) -> Change:
        """Put it before all others, as the newest word wins."""
        text = tomlkit.dumps({"rule": [rule.said()]})
        return self._arrange(lambda others: [_Piece(text, rule.said()), *others])

    def replace(self, old: Rule, new: Rule) -> Change:
        """Have it say something else, in its place. Raises `EnvironmentProblem` "rules.gone"."""

        def put(document: Any) -> None:
            place = self._place(document.unwrap().get("rule", []), old)
            table = document["rule"][place]
            said = new.said()
            for key in [key for key in table if key not in said]:
                table.pop(key)
            for key, value in said.items():
                if table.get(key) != value:
                    table[key] = value  # a comment behind it stays

        return self._change(put)

    def remove(self, rule: Rule) -> Change:
        """Take this rule out, once, with the comments above it. Raises `EnvironmentProblem` "rules.gone"."""

        def without(pieces: list[_Piece]) -> list[_Piece]:
            at = self._place([one.said for one in pieces], rule)
            return pieces[:at] + pieces[at + 1 :]

        return self._arrange(without)

    def move(self, rule: Rule, *, down: bool) -> Change:
        """Before the one above it, or behind the one below; the first that fits a message wins. Raises `EnvironmentProblem`
        "rules.gone"."""

        def moved(pieces: list[_Piece]) -> list[_Piece]:
            at = self._place([one.said for one in pieces], rule)
            other = min(max(at + (1 if down else -1), 0), len(pieces) - 1)
            pieces[at], pieces[other] = pieces[other], pieces[at]
            return pieces

        return self._arrange(moved)

    def add_same(self, name: str, agent: str, instead_of: str = "") -> Change:
        """`name` is the agent `agent`, and `instead_of` is nobody's name any more. Raises `RuleError` where that makes a circle."""

        def put(document: Any) -> None:
            known = {key: one for key, one in _pairs(document.unwrap().get("same", {})) if key != instead_of}
            same_names([*known.items(), (name, agent)])
            if "same" not in document:
                document.append("same", tomlkit.table())
            if instead_of != name:
                document["same"].pop(instead_of, None)
            document["same"][name] = agent

        return self._change(put)

    def remove_same(self, name: str) -> Change:
        """It is nobody's name any more."""
        return self._change(lambda document: document.get("same", {}).pop(name, None))

    def undo(self, change: Change) -> None:
        """Have the file as it was, to the letter. Raises `EnvironmentProblem` "rules.changed" where it says something else by
        now."""
        if self._file.text() != change.after:
            raise trouble("rules.changed", path=str(self._path))
        self._file.write_text(change.before)

    def _change(self, change: Callable[[Any], object]) -> Change:
        before, document = self._file.text(), self._file.read()
        change(document)
        self._file.write(document)
        return Change(before, self._file.text())

    def _place(self, rules: Sequence[object], rule: Rule) -> int:
        """Raises `EnvironmentProblem` "rules.gone"."""
        for place, said in enumerate(rules):
            if _is(said, rule):
                return place
        raise trouble("rules.gone", path=str(self._path))

    def _arrange(self, arranged: Callable[[list[_Piece]], list[_Piece]]) -> Change:
        """Other rules, or in another order. Comments above a rule go where it goes, if the file can be cut so."""
        before, document = self._file.text(), self._file.read()
        known = document.unwrap().get("rule", [])
        blocks = blocks_of(before, len(known))
        texts = blocks.rules if blocks is not None else [""] * len(known)
        pieces = arranged([_Piece(*one) for one in zip(texts, known, strict=True)])
        rules = [one.said for one in pieces]
        if blocks is not None:
            after = blocks._replace(rules=[one.text for one in pieces]).as_text()
            if tomlkit.parse(after).unwrap() == _with_rules(document.unwrap(), rules):
                self._file.write_text(after)
                return Change(before, after)
        document.pop("rule", None)
        if rules:
            tables = tomlkit.aot()
            for one in rules:
                table = tomlkit.table()
                table.update(one)
                tables.append(table)
            document.append("rule", tables)
        self._file.write(document)
        return Change(before, self._file.text())

    def _bad(self, where: str, error: RuleError) -> Problem:
        return Problem("rules.bad", {"path": str(self._path), "where": where, "detail": str(error)})


def _lines(path: Path, count: int) -> list[str]:
    """Where each rule begins, to be told; nothing where they are written otherwise than as [[rule]]."""
    text = path.read_text(encoding="utf-8", errors="replace") if count else ""
    found = [f" (line {at})" for at in rule_lines(text)]
    return found if len(found) == count else [""] * count


def _is(said: object, rule: Rule) -> bool:
    try:
        return rule_of(said) == rule
    except RuleError:
        return False


def _with_rules(document: dict[str, Any], rules: list[Any]) -> dict[str, Any]:
    others = {key: value for key, value in document.items() if key != "rule"}
    return {**others, "rule": rules} if rules else others


def _pairs(said: object) -> list[tuple[str, str]]:
    if not isinstance(said, dict) or not all(isinstance(agent, str) and agent for agent in said.values()):
        raise RuleError('it holds pairs such as "plug-2" = "kitchen-plug"')
    return list(said.items())
