"""`reread`: history once more from its stored messages, with the present rules; and the hidden `reread-segments`, which the
recorder starts for it."""

import argparse
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from app.cli.by_recorder import by_recorder
from app.cli.seal import give_way
from app.cli.telling import Teller, add_option, is_told
from app.cli.workspace_argument import workspace_of
from models.domain.problems import ExitCode

if TYPE_CHECKING:
    from app.recorder.reread_history import OnProgress
    from models.domain.recorded import RereadProgress, RereadResult
    from models.storage.workspace import Workspace

EPILOG = """\
examples:
  murmurscope rules apply plant.toml && murmurscope reread         what was recorded before, read with the new rules
  murmurscope reread --from 7d                                     only files of history that go back 7 days or less

Samples, logs, tasks, interactions, connections, presence and names of agents are derived again from the stored messages, as if
they had just been recorded or imported with the present rules; the messages stay as they are, in their order. Nothing is
published. While it works, everything shows what it was; then all of it changes at once, or, after Ctrl+C, nothing. A recorder
goes on recording meanwhile. It takes as much room on the disk again as the history that is read.

T is ISO 8601 (local where no zone is given) or 15m, 2h, 7d for that long ago; files of history are read again whole.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `reread`."""
    parser.epilog = EPILOG
    parser.add_argument("--from", dest="since", metavar="T", help="only files of history that go on to T or later")
    parser.add_argument("--to", dest="until", metavar="T", help="only files of history that begin before T")
    add_option(parser)


def run(args: argparse.Namespace) -> int:
    """Have the recorder do it, or do it where none runs. Raises `EnvironmentProblem` "import.busy", "reread.failed",
    "workspace.*", "store.*", "settings.unreadable", "time.unreadable"."""
    from models.domain.clock import SystemClock
    from models.domain.time_range import parse_moment

    now_us = SystemClock().wall_us()
    since_us = parse_moment(args.since, now_us) if args.since else 0
    until_us = parse_moment(args.until, now_us) if args.until else 0
    workspace = workspace_of(args)
    progress: _Words | _Lines = _Lines() if is_told(args) else _Words()
    try:
        result = by_recorder(workspace, lambda client: client.reread(since_us, until_us, progress.show))
        if result is None:
            result = _here(workspace, since_us, until_us, progress.show)
    except KeyboardInterrupt:
        progress.end()
        if not is_told(args):
            print("murmurscope: cancelled, history stays as it was", file=sys.stderr)
        raise
    except BaseException:
        progress.end()
        raise
    progress.tell(result)
    return ExitCode.FAILED if result.left_segments else ExitCode.OK


def _here(workspace: "Workspace", since_us: int, until_us: int, show: "OnProgress") -> "RereadResult":
    from app.cli.import_traffic import Beat
    from app.cli.rules import rules_said
    from app.ending import Ending
    from app.recorder.import_run import at_once
    from app.recorder.reread_run import HistoryHere, Rereader
    from app.settings import SettingsFile
    from app.store_limits import store_limits
    from app.version import VERSION
    from models.domain.clock import SystemClock
    from models.domain.connection import Connection
    from models.storage.access import refuse_untouched
    from models.storage.lock import RecorderLock
    from models.storage.writing.writer import StoreWriter

    clock = SystemClock()
    refuse_untouched(workspace)
    settings = SettingsFile(workspace.settings).load()
    rules = rules_said(workspace)
    lock = RecorderLock(workspace, clock)
    lock.acquire(VERSION)
    try:
        store = StoreWriter(workspace, clock, store_limits(settings.retention))
        try:
            ending, beat = Ending(), Beat(lock)

            def shown(progress: "RereadProgress") -> None:
                if ending.asked.is_set():
                    raise KeyboardInterrupt
                beat.beat()
                show(progress)

            prefix = (settings.connection or Connection()).prefix
            rereader = Rereader(store, HistoryHere(workspace, rules, clock), at_once, lambda *_: None)
            return rereader.run(since_us, until_us, prefix, shown)
        finally:
            store.close()
    finally:
        lock.release()


class _Words:
    """One line on a terminal, ten times a second; nothing where stderr is none."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._since_s = self._shown_s = time.monotonic()

    def show(self, progress: "RereadProgress") -> None:
        now_s = time.monotonic()
        if not self._terminal or now_s - self._shown_s < 0.1:
            return
        self._shown_s = now_s
        done, total = progress.messages, progress.messages_total
        text = f"{done / (total or 1):4.0%}  {done:,} of {total:,} messages, {done / (now_s - self._since_s):,.0f}/s"
        if progress.waiting:
            text = "all is read; waiting for an export or a backup to end"
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def tell(self, result: "RereadResult") -> None:
        self.end()
        if result.left_segments:
            print(
                f"murmurscope: {result.left_segments} damaged files of history stay as they were (see murmurscope verify)",
                file=sys.stderr,
            )
        print(
            f"read {result.messages:,} messages again: {result.agents:,} agents, {result.samples:,} samples,"
            f" {result.logs:,} log records, {result.tasks:,} task reports, {result.unreadable:,} unreadable"
        )


class _Lines:
    """For whoever started us."""

    def __init__(self) -> None:
        self._teller = Teller()

    def show(self, progress: "RereadProgress") -> None:
        self._teller.progress(
            messages=progress.messages, messages_total=progress.messages_total, waiting=int(progress.waiting)
        )

    def end(self) -> None:
        """Whoever cancelled it knows."""

    def tell(self, result: "RereadResult") -> None:
        self._teller.tell("result", asdict(result))


class RereadSegments:
    """The hidden command: reads, and leaves it to the recorder to show it."""

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--segments", default="")
        parser.add_argument("--prefix", default="")
        parser.add_argument("--renumber", action="store_true")
        add_option(parser)

    @staticmethod
    def run(args: argparse.Namespace) -> int:
        """Raises `EnvironmentProblem` "store.*", "sealing.damaged", "settings.unreadable"."""
        import os

        from app.recorder.reread_run import HistoryHere
        from app.rules_file import RulesFile
        from models.domain.clock import SystemClock

        give_way()
        os.umask(0o077)
        workspace, lines = workspace_of(args), _Lines()
        history = HistoryHere(workspace, RulesFile(workspace.rules).load().rules, SystemClock())
        if args.renumber:
            history.renumber(lines.show)
        else:
            left = history.read([int(one) for one in args.segments.split(",")], args.prefix, lines.show)
            Teller().tell("result", {"left": left})
        return ExitCode.OK
