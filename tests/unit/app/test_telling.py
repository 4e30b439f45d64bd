"""What the commands say to the window that started them, and what they leave behind when they are stopped."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.poll import until
from tests.helpers.store import batch_of, message

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """200,000 messages in two files, written by the real writer."""
    one, clock = Workspace.at(tmp_path_factory.mktemp("telling") / "w"), FakeClock()
    for _ in range(2):
        writer = StoreWriter(one, clock)
        writer.begin_capture("mqtt://localhost:1883", "c")
        for _ in range(50):
            messages = [message(clock.wall_us() + n, payload=b'{"n": 1}' * 20) for n in range(2_000)]
            writer.commit(batch_of(writer.names, messages, ["a"] * len(messages)))
            clock.advance(1_000_000)
        writer.close()
    return one


def command(workspace: Workspace, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "app", *arguments, "--tell-json", "--workspace", str(workspace.root)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def told(stderr: bytes) -> list[dict[str, dict[str, object]]]:
    return [json.loads(line) for line in stderr.splitlines()]


def test_an_export_tells_how_far_it_is_and_what_came_of_it(workspace: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "m.csv"
    done = subprocess.run(
        command(workspace, "export", "messages", "-o", str(out)), capture_output=True, env=environment(), check=True
    )
    lines = told(done.stderr)
    assert lines[-1] == {"result": {"rows": 200_000, "bytes": out.stat().st_size, "damaged": 0}}
    rows = [line["progress"]["rows"] for line in lines[:-1]]
    assert rows == sorted(rows)
    assert rows


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_export_leaves_nothing_and_an_older_file_as_it_was(
    workspace: Workspace, tmp_path: Path, number: int
) -> None:
    out = tmp_path / "m.csv"
    out.write_text("older")
    process = subprocess.Popen(
        command(workspace, "export", "messages", "-o", str(out)), stderr=subprocess.PIPE, env=environment()
    )
    assert process.stderr is not None
    with process.stderr:
        assert b"progress" in process.stderr.readline()
        process.send_signal(number)
        until(lambda: process.poll() is not None, "the export ends")
        assert b"result" not in process.stderr.read()
    assert process.returncode == (130 if number == signal.SIGINT else 1)
    assert [one.name for one in tmp_path.iterdir()] == ["m.csv"]
    assert out.read_text() == "older"


def test_a_problem_is_told_as_code_and_parameters(workspace: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "no" / "m.csv"
    done = subprocess.run(
        command(workspace, "export", "messages", "-o", str(out)), capture_output=True, env=environment(), check=False
    )
    assert done.returncode == 1
    (line,) = told(done.stderr)
    assert line["problem"]["code"] == "file.unusable"
    assert line["problem"]["params"]["path"] == str(out)


def test_a_disk_without_room_is_told_and_nothing_is_left(workspace: Workspace, tmp_path: Path) -> None:
    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = subprocess.run(
        command(workspace, "export", "messages", "-o", str(tmp_path / "m.csv")),
        capture_output=True, env=environment(), check=False, preexec_fn=no_room,
    )  # fmt: skip
    assert told(done.stderr)[-1] == {"problem": {"code": "file.full", "params": {"path": str(tmp_path / "m.csv")}}}
    assert list(tmp_path.iterdir()) == []


def test_verify_tells_findings_with_their_file(workspace: Workspace, tmp_path: Path) -> None:
    done = subprocess.run(command(workspace, "verify"), capture_output=True, env=environment(), check=True)
    assert told(done.stderr)[-1] == {"result": {"done": 2, "segments": 2, "messages": 200_000, "findings": 0}}
    moved = workspace.segment(2).rename(tmp_path / "2.db")
    try:
        done = subprocess.run(command(workspace, "verify"), capture_output=True, env=environment(), check=False)
    finally:
        moved.rename(workspace.segment(2))
    assert done.returncode == 1
    finding = next(line["finding"] for line in told(done.stderr) if "finding" in line)
    assert (finding["segment"], finding["code"], finding["path"]) == (2, "missing", str(workspace.segment(2)))
