"""The table of failures names tests that exist."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
TABLE = TESTS / "failures.md"
ROWS = [*(f"N{number}" for number in range(1, 17)), *(f"U{number}" for number in range(1, 6)), "T1", "T2"]


def names_in(file: Path) -> set[str]:
    """Names as pytest spells them after the file."""
    names: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
    return names


def rows() -> list[tuple[str, list[str]]]:
    """The first cell of every row, and the tests that its last one names."""
    cells = [line.strip("| ").split(" | ") for line in TABLE.read_text(encoding="utf-8").splitlines() if "::" in line]
    return [(row[0], re.findall(r"`([^`]+::[^`]+)`", row[-1])) for row in cells]


def test_every_test_that_the_table_names_exists() -> None:
    named = [one for _, tests in rows() for one in tests]
    assert len(named) > 40
    known: dict[str, set[str]] = {}
    missing = []
    for one in named:
        file, _, name = one.partition("::")
        if file not in known:
            known[file] = names_in(TESTS / file) if (TESTS / file).is_file() else set()
        if name not in known[file]:
            missing.append(one)
    assert missing == []


def test_every_row_has_a_test() -> None:
    assert [row for row in ROWS if not any(name == row and tests for name, tests in rows())] == []
