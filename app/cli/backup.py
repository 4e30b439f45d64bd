"""`backup`: all that a workspace holds, in one file or on stdout, while a recorder may be writing."""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.byte_progress import ByteProgress, size_text
from app.cli.workspace_argument import workspace_of
from app.version import VERSION
from models.domain.problems import EnvironmentProblem, ExitCode, trouble

if TYPE_CHECKING:
    from models.storage.workspace import Workspace

EPILOG = """\
examples:
  murmurscope backup fleet.tar.gz
  ssh recorder.example murmurscope backup - > fleet.tar.gz
  ssh recorder.example murmurscope backup --since 24h - > day.tar.gz
  murmurscope restore --workspace copy fleet.tar.gz

A gzipped tar of everything recorded, with the settings, templates, mapping rules, saved queries and layouts of the workspace;
never a password, no logs. Works while a recorder runs: what it holds is everything up to one moment. An import that has not ended
is left out. FILE appears whole or not at all, readable for you alone.

With --since T, files of history that ended before T are left out, which is told at the end; history before T is a gap in
such a backup. It is restored, imported and looked at as any other: a day of a server, brought to a laptop every day, adds up.
T is ISO 8601 (local where no zone is given) or 15m, 2h, 7d for that long ago.
"""
_NICE = 5
_MOST_TEXT_BYTES = 16 * 1024 * 1024
"""Nobody writes more by hand."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `backup`."""
    parser.epilog = EPILOG
    parser.add_argument("file", metavar="FILE", help="write here; - is stdout")
    parser.add_argument("--since", metavar="T", help="only history that goes on to T or later")
    parser.add_argument("--overwrite", action="store_true", help="replace an older FILE once the new one is whole")


def run(args: argparse.Namespace) -> int:
    """Write it. Raises `EnvironmentProblem` "workspace.*", "store.*", "file.*", "backup.changed", "option.unusable",
    "time.unreadable"."""
    from models.domain.clock import SystemClock
    from models.domain.time_range import moment_text, parse_moment
    from models.storage.copies.backup import backup, backup_file

    workspace, clock, report = workspace_of(args), SystemClock(), _Report()
    since_us = parse_moment(args.since, clock.wall_us()) if args.since else 0
    os.nice(_NICE)  # the recorder goes first
    texts = _texts(workspace, report)
    if args.file == "-":
        if sys.stdout.isatty():
            raise trouble("option.unusable", option="FILE", value="-", detail="a terminal cannot take a backup")
        scratch = workspace.root if os.access(workspace.root, os.W_OK) else Path(tempfile.gettempdir())
        try:
            made = backup(
                workspace, sys.stdout.buffer, texts, VERSION, clock, scratch=scratch, progress=report.progress.show,
                damaged=report.damaged, since_us=since_us,
            )  # fmt: skip
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise trouble("file.unusable", path="stdout", detail=error.strerror or str(error)) from error
    else:
        for number in (signal.SIGTERM, signal.SIGHUP):  # else nobody would take the unfinished file away
            signal.signal(number, lambda *_: sys.exit(ExitCode.FAILED))
        made = backup_file(
            workspace, Path(args.file), texts, VERSION, clock, overwrite=args.overwrite, progress=report.progress.show,
            damaged=report.damaged, since_us=since_us,
        )  # fmt: skip
    report.progress.end(f"{size_text(made.size_bytes)} backed up")
    if made.left_out:
        files = "1 file" if made.left_out == 1 else f"{made.left_out:,} files"
        report.progress.tell(
            f"{files} with {made.left_out_messages:,} messages left out: ended before {moment_text(since_us)}"
        )
    return ExitCode.FAILED if report.incomplete else ExitCode.OK


class _Report:
    """What could not go in as it should, on stderr."""

    def __init__(self) -> None:
        self.progress = ByteProgress()
        self.incomplete = False

    def damaged(self, segment: int, detail: str) -> None:
        self.tell(f"segment {segment} is damaged: {detail}")

    def tell(self, text: str) -> None:
        self.incomplete = True
        self.progress.tell(text)


def _texts(workspace: "Workspace", report: _Report) -> dict[str, bytes]:
    """Files that people edit. Settings that cannot be read might hold a password that somebody wrote into the address."""
    from app.settings import SettingsFile
    from models.storage.copies.format import LAYOUTS, QUERIES, RULES, SETTINGS, TEMPLATES, may_hold

    files = {
        SETTINGS: workspace.settings, TEMPLATES: workspace.templates, RULES: workspace.rules, QUERIES: workspace.queries,
    }  # fmt: skip
    files |= {f"{LAYOUTS}/{path.name}": path for path in sorted(workspace.layouts.glob("[!.]*.toml"))}
    found: dict[str, bytes] = {}
    for name, path in files.items():
        if not path.is_file():
            continue
        if not may_hold(name):
            report.tell(f"{name!a} is left out: a backup has no room for so long or odd a name")
        elif path.stat().st_size > _MOST_TEXT_BYTES:
            report.tell(f"{name} is left out: it is larger than what people edit")
        else:
            try:
                if name == SETTINGS:
                    SettingsFile(path).load()
                found[name] = path.read_bytes()
            except (EnvironmentProblem, OSError) as error:
                report.tell(f"{name} is left out: {error}")
    return found
