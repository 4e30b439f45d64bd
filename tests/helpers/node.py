"""Scripts for Node, run with the packages of the example's lock file."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Self

from tests.helpers.needs import bound_to_parent, missing, program, services_required

EXAMPLE = Path(__file__).resolve().parents[2] / "resources/examples/node"


def install(folder: Path, source: Path = EXAMPLE) -> Path:
    """Bring the packages that a folder's lock file names into another; returns it. Skips, or fails where services are required, without npm or network."""
    npm = program("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, folder)
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        assert not services_required(), done.stderr
        missing("what package-lock.json names")
    return folder


class Node:
    """A script that runs in a folder. Use as a context manager."""

    def __init__(self, packages: Path, folder: Path, script: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            bound_to_parent([program("node"), str(script), *arguments]),
            cwd=folder, env={**os.environ, "NODE_PATH": str(packages / "node_modules")},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def end(self, how: signal.Signals = signal.SIGINT) -> str:
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> str:
        """What it said, when it has ended."""
        return self.process.communicate(timeout=60)[0]

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
