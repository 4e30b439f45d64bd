"""`verify`: reads every stored byte and says what does not fit."""

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.byte_progress import ByteProgress, size_text
from app.cli.telling import Teller, add_option, is_told
from app.cli.workspace_argument import workspace_of
from models.domain.problems import ExitCode, trouble

if TYPE_CHECKING:
    from models.storage.copies.salvage import Done
    from models.storage.copies.verify import Finding, Progress
    from models.storage.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `verify`."""
    parser.epilog = (
        "With BACKUP, that file is unpacked into a folder for a while and checked in place of the workspace.\n"
        "Checks structure, check sums and counts of every file; changes nothing. Exit code 1: something does not fit."
        " With --salvage, what can still be read of damaged files of history is then brought back beside them: messages"
        " whose check sum is right, their own or that of their block. The damaged files stay as they are. Works while a recorder runs."
    )
    parser.add_argument("backup", nargs="?", metavar="BACKUP", help="check this backup, and not the workspace")
    parser.add_argument("--salvage", action="store_true", help="bring back what can still be read of damaged files")
    add_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print what does not fit. Raises `EnvironmentProblem` "workspace.*", "backup.*", "file.*", "option.unusable"."""
    if args.backup is None:
        return _verify(workspace_of(args), args)
    if args.salvage:
        raise trouble("option.unusable", option="--salvage", value=args.backup, detail="a backup is never changed")
    with _unpacked(Path(args.backup)) as workspace:
        return _verify(workspace, args)


@contextlib.contextmanager
def _unpacked(backup: Path) -> "Iterator[Workspace]":
    import tempfile

    import platformdirs

    from models.storage.copies.restore import restore
    from models.storage.workspace import APP_NAME, Workspace

    for number in (signal.SIGTERM, signal.SIGHUP):  # else nobody would take what is unpacked away
        signal.signal(number, lambda *_: sys.exit(ExitCode.FAILED))
    cache, progress = platformdirs.user_cache_path(APP_NAME), ByteProgress()
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="verify-", dir=cache) as folder:
        workspace = Workspace.at(Path(folder) / "backup")
        restored = restore(workspace, backup, progress.show)
        progress.end(f"{size_text(restored.size_bytes)} unpacked, as they were backed up")
        for segment in restored.missing:
            progress.tell(f"segment {segment} was gone already when the backup was made")
        yield workspace


def _verify(workspace: "Workspace", args: argparse.Namespace) -> int:
    from models.storage.copies.verify import DAMAGE_CODES, verify

    report: _Words | _Lines = _Lines(workspace) if is_told(args) else _Words()
    found, damaged = 0, set[int]()
    for finding in verify(workspace, report.show):
        found += 1
        if finding.code in DAMAGE_CODES:
            damaged.add(finding.segment)
        report.tell(finding)
    if args.salvage:
        return _salvage(workspace, damaged, report)
    report.end(found)
    return ExitCode.FAILED if found else ExitCode.OK


def _salvage(workspace: "Workspace", found: set[int], report: "_Words | _Lines") -> int:
    """Done here and handed over to whoever writes the workspace. Raises also "import.*", "store.*"."""
    import tempfile

    from app.cli.import_traffic import bring
    from models.domain.clock import SystemClock
    from models.storage.copies.salvage import damaged_segments, salvage
    from models.storage.store_errors import problems_of

    damaged = damaged_segments(workspace, found)
    with problems_of(workspace.root):
        folder = tempfile.TemporaryDirectory(prefix="salvage-", dir=workspace.root)
    with folder as place:
        done = salvage(workspace, Path(place) / "found", damaged, SystemClock(), report.salvaging)
        if any(one.saved.messages for one in done):
            bring(workspace, [Path(place) / "found"], lambda told: report.salvaging(told.bytes_done, told.bytes_total))
    report.salvaged(done)
    return ExitCode.OK if all(one.saved.messages == one.saved.of for one in done) else ExitCode.FAILED


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

    def salvaging(self, done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\rsalvaging: {done / (of or 1):4.0%}            ", end="", file=sys.stderr, flush=True)

    def salvaged(self, done: "Sequence[Done]") -> None:
        for one in done:
            saved = one.saved
            print(
                f"segment {one.segment}: brought back {saved.messages:,} of {saved.of:,} messages, {saved.samples:,} samples"
            )
        if not done:
            print("nothing to bring back")

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

    def salvaging(self, done: int, of: int) -> None:
        self._teller.progress(done=done, segments=of, messages=0)

    def salvaged(self, done: "Sequence[Done]") -> None:
        for one in done:
            told = {"segment": one.segment, "path": str(self._workspace.segment(one.segment))}
            self._teller.tell("salvaged", {**told, "messages": one.saved.messages, "of": one.saved.of})

    def end(self, found: int) -> None:
        self._teller.tell("result", {**self._last, "findings": found})
