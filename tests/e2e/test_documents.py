"""Every command that a document shows in a `sh` block is run as it stands, page by page, in the order of the page."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.mosquitto import Mosquitto
from tests.helpers.needs import bound_to_parent
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY

pytestmark = pytest.mark.services

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "resources/guide").glob("*.md"))]
ENDLESS = {"": "first paint", "demo": "first paint", "record": '"ready": true', "broker": "mqtt://", "agent": ""}
"""Commands that run until Ctrl+C, and what they have said when they are up (empty: see the broker)."""
LIMIT_S = 120


def commands(page: Path) -> list[str]:
    """One per line of the page's `sh` blocks; a line that ends with a backslash goes on in the next."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def endless(command: str) -> str | None:
    """What to wait for before Ctrl+C; None for a command that ends by itself."""
    words = shlex.split(command, comments=True)
    if words[0] != "murmurscope" or "--duration" in words or "--help" in words or ">" in words or "|" in words:
        return None
    verbs = [word for word in words[1:] if word in ENDLESS or not word.startswith("-")]
    return ENDLESS.get(verbs[0] if verbs else "")


class Shell:
    """Runs commands as somebody with an empty home folder would, `murmurscope` being ours."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self._broker, self.folder = broker, folder / "work"
        self.folder.mkdir()
        programs = folder / "bin"
        programs.mkdir()
        python = f'#!/bin/sh\nexec "{sys.executable}" -P -m app "$@"\n'
        for name, text in {"murmurscope": python, "python": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'}.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MURMURSCOPE_"))},
            "HOME": str(folder), "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY),
            "XDG_RUNTIME_DIR": str(runtime), "QT_QPA_PLATFORM": "offscreen",
        }  # fmt: skip

    def run(self, command: str) -> None:
        """One command of a document, to its end, or up to Ctrl+C where it has none. Raises AssertionError with its words."""
        command = command.replace("bash packaging/dev.sh run", "murmurscope")
        awaited = endless(command)
        command = re.sub(r"localhost(:1883)?(?![\w:])", f"localhost:{self._broker.port}", command)
        command = re.sub(r"-h localhost:(\d+)", r"-h localhost -p \1", command)
        output = self.folder.parent / "output"
        before = self._broker.log.count("New client connected")
        with output.open("wb") as file:
            process = subprocess.Popen(
                bound_to_parent(["bash", "-c", f"exec {command}" if awaited is not None else command]),
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, cwd=self.folder, env=self._environment,
            )  # fmt: skip
        try:
            if awaited is not None:
                until(lambda: self._is_up(process, output, awaited, before), f"{command} is up", LIMIT_S)
                process.send_signal(signal.SIGINT)
            code = process.wait(LIMIT_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        assert code in ((0, 130) if awaited is not None else (0,)), (
            f"{command}\nended with {code}:\n{output.read_text()}"
        )

    def _is_up(self, process: subprocess.Popen[bytes], output: Path, awaited: str, before: int) -> bool:
        said = output.read_text(errors="replace")
        assert process.poll() is None, f"it ended with {process.poll()}:\n{said}"
        if awaited == "":
            return self._broker.log.count("New client connected") > before
        logs = "".join(path.read_text(errors="replace") for path in self.folder.parent.rglob("window*.log*"))
        return awaited in said + logs


@pytest.fixture
def shell(tmp_path: Path, make_broker) -> Shell:
    return Shell(tmp_path, make_broker())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_work(page: Path, shell: Shell) -> None:
    for command in commands(page):
        shell.run(command)


def test_pages_show_commands() -> None:
    assert sum(len(commands(page)) for page in PAGES) >= 5, "the blocks are not found"
