"""`export`: history as CSV or JSON lines, to a file or to stdout."""

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.telling import Teller, add_option, is_told
from app.cli.workspace_argument import workspace_of
from models.domain.problems import ExitCode, trouble

if TYPE_CHECKING:
    from models.storage.export.scope import SeriesName

EPILOG = """\
examples:
  murmurscope export samples --from 2h -o samples.csv
  murmurscope export messages --agent crawler-1 --format jsonl | head
  murmurscope export presence --from 2026-11-23T08:00 --to 2026-11-23T18:00
  murmurscope export samples --series '["crawler-1", "process.cpu.utilization"]' --from 2h

A series is named by agent, metric and, where it has some, labels, as in those columns: a JSON array of two or three texts.
Times are ISO 8601 (local where no zone is given) or 15m, 2h, 7d for that long ago; a range goes by arrival. A file appears
whole or not at all; progress is told on stderr. Works while a recorder runs.
"""
DATASETS = (
    "messages", "samples", "logs", "presence", "agents", "tasks", "interactions", "connections", "gaps", "unreadable",
    "annotations",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `export`."""
    parser.epilog = EPILOG
    parser.add_argument("dataset", choices=DATASETS, metavar="DATASET", help=", ".join(DATASETS))
    parser.add_argument("--from", dest="since", metavar="T", help="only what arrived at T or later")
    parser.add_argument("--to", dest="until", metavar="T", help="only what arrived before T")
    parser.add_argument("--agent", default="", metavar="A", help="only of this agent (its id)")
    parser.add_argument(
        "--series", metavar="S", action="append", default=[], help="of samples only this series; again for more"
    )
    parser.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="default: csv")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write here (default: stdout); an older file is replaced"
    )
    add_option(parser)


def run(args: argparse.Namespace) -> int:
    """Stream the rows out. Raises `EnvironmentProblem` "workspace.*", "store.*", "agent.unknown", "file.*", "time.unreadable",
    "option.unusable"."""
    import functools

    from models.domain.clock import SystemClock
    from models.domain.time_range import parse_moment
    from models.storage.export.run import export, export_file

    now_us = SystemClock().wall_us()
    progress = Progress.of(args)
    arguments = {
        "since_us": parse_moment(args.since, now_us) if args.since else 0,
        "until_us": parse_moment(args.until, now_us) if args.until else 0,
        "agent": args.agent,
        "format": args.format,
        "series": _series(args),
        "progress": progress.show,
        "damaged": progress.damaged,
    }
    workspace = workspace_of(args)
    if args.output:
        write = functools.partial(export_file, workspace, args.dataset, Path(args.output), overwrite=True)
        for number in (signal.SIGTERM, signal.SIGHUP):  # else nobody would take the unfinished file away
            signal.signal(number, lambda *_: sys.exit(ExitCode.FAILED))
    else:
        write = functools.partial(export, workspace, args.dataset, sys.stdout.buffer)
    rows = write(**arguments)
    sys.stdout.flush()
    progress.end(rows)
    return ExitCode.FAILED if progress.damage else ExitCode.OK


def _series(args: argparse.Namespace) -> "list[SeriesName]":
    from models.storage.export.scope import SeriesName

    named = []
    for text in args.series:
        if args.dataset != "samples":
            raise trouble("option.unusable", option="--series", value=text, detail="only samples are of a series")
        try:
            parts = json.loads(text)
        except ValueError:
            parts = None
        if not isinstance(parts, list) or len(parts) not in (2, 3) or not all(isinstance(one, str) for one in parts):
            said = """write it as '["agent", "metric"]' or '["agent", "metric", "labels"]'"""
            raise trouble("option.unusable", option="--series", value=text, detail=said)
        named.append(SeriesName(*parts))
    return named


class Progress:
    """Tells how far a long export is."""

    damage = 0

    @staticmethod
    def of(args: argparse.Namespace) -> "Progress":
        """In words, or as the window that started us wants it."""
        return _Lines() if is_told(args) else _Words()

    def show(self, rows: int, size: int) -> None: ...

    def damaged(self, segment: int, detail: str) -> None:  # noqa: ARG002 - in words alone
        self.damage += 1

    def end(self, rows: int) -> None: ...


class _Words(Progress):
    """Rows so far, on one line of a terminal; nothing but damage where stderr is no terminal."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()

    def show(self, rows: int, size: int) -> None:  # noqa: ARG002 - in bytes for the window alone
        if self._terminal:
            print(f"\r{rows:,} rows", end="", file=sys.stderr, flush=True)

    def damaged(self, segment: int, detail: str) -> None:
        super().damaged(segment, detail)
        print(f"murmurscope: segment {segment} could not be read whole: {detail}", file=sys.stderr)

    def end(self, rows: int) -> None:
        if self._terminal:
            print(f"\r{rows:,} rows", file=sys.stderr)


class _Lines(Progress):
    """For the window that started us."""

    def __init__(self) -> None:
        self._size = 0
        self._teller = Teller()

    def show(self, rows: int, size: int) -> None:
        self._size = size
        self._teller.progress(rows=rows, bytes=size)

    def end(self, rows: int) -> None:
        self._teller.tell("result", {"rows": rows, "bytes": self._size, "damaged": self.damage})
