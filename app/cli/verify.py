"""`verify`: reads every stored byte and says what does not fit."""

import argparse
import sys
from typing import TYPE_CHECKING

from app.cli.telling import Teller, add_option, is_told
from app.cli.workspace_argument import workspace_of
from models.domain.problems import ExitCode

if TYPE_CHECKING:
    from models.storage.verify import Finding, Progress
    from models.storage.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`verify` takes nothing but the workspace."""
    parser.epilog = (
        "Checks structure, check sums and counts of every file; changes nothing. Exit code 1: something does not fit."
    )
    add_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print what does not fit. Raises `EnvironmentProblem` "workspace.*"."""
    from models.storage.verify import verify

    workspace = workspace_of(args)
    report: _Words | _Lines = _Lines(workspace) if is_told(args) else _Words()
    found = 0
    for finding in verify(workspace, report.show):
        found += 1
        report.tell(finding)
    report.end(found)
    return ExitCode.FAILED if found else ExitCode.OK


class _Words:
    """Findings on stdout; how far it is on one line of a terminal."""

    def __init__(self) -> None:
        self._segments = self._messages = 0

    def show(self, progress: "Progress") -> None:
        self._segments, self._messages = progress.segments, progress.messages
        if sys.stderr.isatty():
            told = f"{progress.done} of {progress.segments} segments, {progress.messages:,} messages"
            print(f"\r{told}", end="", file=sys.stderr, flush=True)

    def tell(self, finding: "Finding") -> None:
        where = f"segment {finding.segment}" if finding.segment else "catalogue"
        print(f"{where}: {finding.code}: {finding.detail}")

    def end(self, found: int) -> None:
        if not found:
            print(f"everything fits: {self._segments} segments, {self._messages} messages")


class _Lines:
    """For the window that started us."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._last = {"done": 0, "segments": 0, "messages": 0}
        self._teller = Teller()

    def show(self, progress: "Progress") -> None:
        self._last = progress._asdict()
        self._teller.progress(**self._last)

    def tell(self, finding: "Finding") -> None:
        path = self._workspace.segment(finding.segment) if finding.segment else self._workspace.catalogue
        self._teller.tell("finding", {**finding._asdict(), "path": str(path)})

    def end(self, found: int) -> None:
        self._teller.tell("result", {**self._last, "findings": found})
