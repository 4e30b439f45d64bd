"""`logs` prints what the screen lists."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.logs import _as_text
from models.domain.queries import LogLine, RowKey
from models.domain.records import Level

RECORDINGS = Path(__file__).parents[1] / "recordings"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("logs") / "w"
    names = ("python-log-formats", "winston-json-logs", "otlp-json-js-sdk")
    files = [str(RECORDINGS / f"{name}.jsonl") for name in names]
    assert app(root, "import", *files).returncode == 0
    return root


@pytest.fixture(scope="module")
def exported(workspace: Path) -> list[object]:
    """The newest first, as they are listed."""
    lines = app(workspace, "export", "logs", "--format", "jsonl").stdout.splitlines()
    return [json.loads(line) for line in lines][::-1]


def app(workspace: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "app", "--workspace", str(workspace), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 78),
        ("level:error", 10),
        ("level>=warn agent:crawler*", 5),
        ("code:ECONNRESET", 2),
        ('agent:py-agent ("step done" OR level:fatal)', 10),
        ("level:error NOT agent:(crawler-1 py-agent)", 3),
        ("before:2026-11-23T07:50:00Z", 20),
        ("duration_ms>12 step:*", 2),
    ],
)
def test_finds(workspace: Path, exported: list[object], query: str, count: int) -> None:
    found = app(workspace, "logs", query, "--json")
    assert (found.returncode, found.stderr) == (0, "")
    told = [json.loads(line) for line in found.stdout.splitlines()]
    assert len(told) == count
    assert told == [row for row in exported if row in told]


def test_a_record_is_told_on_a_line_and_its_stack_below(workspace: Path) -> None:
    told = app(workspace, "logs", "code:ECONNRESET").stdout
    first, *stack = told.splitlines()[:3]
    assert first.startswith("2026-11-23T07:47:49.963000Z error crawler-1 crawler connection reset by peer · Error: ")
    assert first.endswith('{"code":"ECONNRESET"}')
    assert stack[1].startswith("        at Timeout._onTimeout")


def test_no_field_of_a_record_commands_the_terminal() -> None:
    line = LogLine(
        RowKey(0, 1, 1),
        0,
        1,
        Level.ERROR,
        "l\x1b[2Jg",
        "t\x1b]0;x\x07",
        "e\u202e",
        "\tat a\x1b[1m",
        '{"k":"\x9b2J\u2028"}',
    )
    told = _as_text(line, "a\x1b[31m")
    assert all(one.isprintable() for one in told.replace("\n", ""))
    assert told.splitlines()[1] == r"        at a\x1b[1m"


def test_a_mistake_is_pointed_at(workspace: Path) -> None:
    told = app(workspace, "logs", "level:eror timeout")
    assert told.returncode == 2
    assert told.stdout == ""
    assert told.stderr.splitlines()[:2] == ["  level:eror timeout", "        ^^^^"]
    assert "is no level" in told.stderr
