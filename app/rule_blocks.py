"""A file of rules as text: each rule with the comments above it, so that these go where it goes. Pure."""

import itertools
import re
from typing import NamedTuple

_RULE = re.compile(r"\s*\[\[\s*(rule|\"rule\"|'rule')\s*\]\]").match
_TABLE = re.compile(r"\s*\[").match


class Blocks(NamedTuple):
    """`head`: what stands above all rules; `tail`: the tables below them. Each part ends a line."""

    head: str
    rules: list[str]
    tail: str

    def as_text(self) -> str:
        """A blank line stands between the parts."""
        parts = [part.strip("\n") for part in (self.head, *self.rules, self.tail)]
        return "\n\n".join(part for part in parts if part) + "\n"


def rule_lines(text: str) -> list[int]:
    """Numbers of the lines that begin a rule, from 1."""
    return [at for at, line in enumerate(text.splitlines(), 1) if _RULE(line)]


def blocks_of(text: str, count: int) -> Blocks | None:
    """None where the file does not have its `count` rules as [[rule]], one below the other."""
    lines = text.splitlines(keepends=True)
    found = [at - 1 for at in rule_lines(text)]
    if not found or len(found) != count:
        return None
    end = next((at for at in range(found[-1] + 1, len(lines)) if _TABLE(lines[at])), len(lines))
    begins = [_with_comments(lines, at) for at in (*found, end)]
    begins[-1] = max(begins[-1], found[-1] + 1)
    if any(_TABLE(line) and not _RULE(line) for line in lines[begins[0] : begins[-1]]):
        return None  # another table among them
    rules = ["".join(lines[since:until]) for since, until in itertools.pairwise(begins)]
    return Blocks("".join(lines[: begins[0]]), rules, "".join(lines[begins[-1] :]))


def _with_comments(lines: list[str], at: int) -> int:
    """Where the comments right above a line begin; those that begin the file are of the file."""
    first = at
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return first if first > 0 or at == 0 else at
