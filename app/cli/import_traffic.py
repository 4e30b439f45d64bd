"""`import`: recorded traffic into the workspace, as a capture of its own."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.workspace_argument import workspace_of
from models.domain.problems import EnvironmentProblem, ExitCode

if TYPE_CHECKING:
    from models.domain.recorded import ImportProgress, ImportResult, OnProgress
    from models.storage.lock import RecorderLock
    from models.storage.workspace import Workspace

EPILOG = """\
examples:
  mosquitto_sub -h broker.example -t '#' -F %j > fleet.jsonl       record with Mosquitto's own tool, Ctrl+C to end
  murmurscope import fleet.jsonl
  murmurscope import monday.jsonl.gz tuesday.jsonl.gz

A file holds one JSON object a line, plain or gzipped. Either what mosquitto_sub -F %j prints (or %J; there "retain" 1 means
that the broker only repeated a message), or:
  ts           when it arrived, Unix seconds
  topic, qos, retain
  payload_b64  the payload in base64
  props        optional: ContentType, ResponseTopic, CorrelationData (base64), MessageExpiryInterval, UserProperty (pairs)
  origin       optional: live (the default), or replay: the broker only repeated it

Messages count as received when they were recorded. All files together become one capture, in the order of their first
records: all of it is stored or nothing; Ctrl+C leaves nothing behind. Works while a recorder runs, whose own traffic goes on.
What is known live of an agent is never replaced by something older. Imported history is kept as long as if it had been
recorded on the day of the import; where the workspace then holds more than its limit, the oldest history goes, as ever. A
file that is held already, or named twice, is refused unless --again asks for a second copy.

A file whose first line is no record is refused. Later lines that are none, such as a last line that was cut off, are counted
and left out: the exit code is then 1, and everything else is imported.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `import`."""
    parser.epilog = EPILOG
    parser.add_argument("files", nargs="+", metavar="FILE", help="recorded traffic, see below")
    parser.add_argument("--again", action="store_true", help="also what was imported before, a second time")


def run(args: argparse.Namespace) -> int:
    """Have the recorder import, or do it where none runs. Raises `EnvironmentProblem` "import.*", "file.unusable",
    "workspace.*", "store.*", "settings.unreadable"."""
    workspace = workspace_of(args)
    paths = [Path(name) for name in args.files]
    progress = _Progress()
    try:
        result = _by_recorder(workspace, paths, progress.show, again=args.again)
        if result is None:
            result = _here(workspace, paths, progress.show, again=args.again)
    except KeyboardInterrupt:
        progress.end()
        print("murmurscope: cancelled, nothing was imported", file=sys.stderr)
        raise
    finally:
        progress.end()
    _tell(result)
    return ExitCode.FAILED if result.skipped else ExitCode.OK


def _by_recorder(
    workspace: "Workspace", paths: list[Path], show: "OnProgress", *, again: bool
) -> "ImportResult | None":
    """None where no recorder runs."""
    from app.control_client import ControlClient

    with ControlClient(workspace) as client:
        try:
            client.hello("cli")
        except EnvironmentProblem as error:
            if error.problem.code == "recorder.absent":
                return None
            raise
        return client.import_files(paths, show, again=again)


def _here(workspace: "Workspace", paths: list[Path], show: "OnProgress", *, again: bool) -> "ImportResult":
    from app.ending import Ending
    from app.recorder.import_run import Importer, at_once
    from app.recorder.main import store_limits
    from app.settings import SettingsFile
    from app.version import VERSION
    from models.domain.clock import SystemClock
    from models.domain.connection import Connection
    from models.storage.access import refuse_untouched
    from models.storage.lock import RecorderLock
    from models.storage.writer import StoreWriter

    clock = SystemClock()
    refuse_untouched(workspace)
    settings = SettingsFile(workspace.settings).load()
    lock = RecorderLock(workspace, clock)
    lock.acquire(VERSION)
    try:
        store = StoreWriter(workspace, clock, store_limits(settings.retention))
        ending = Ending()
        beat = _Beat(lock)

        def shown(progress: "ImportProgress") -> None:
            if (
                ending.asked.is_set()
            ):  # not within a slice: what is being written ends well, then all of it is taken back
                raise KeyboardInterrupt
            beat.beat()
            show(progress)

        try:
            prefix = (settings.connection or Connection()).prefix
            return Importer(store, at_once, clock).run(paths, prefix, shown, again=again)
        finally:
            store.close()
    finally:
        lock.release()


class _Beat:
    """Says in the lock that we live, now and then, so that a window does not think we hang."""

    def __init__(self, lock: "RecorderLock") -> None:
        self._lock = lock
        self._next_s = 0.0

    def beat(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + 1
            self._lock.beat()


class _Progress:
    """One line on a terminal, ten times a second; nothing where stderr is none."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._since_s = self._shown_s = time.monotonic()
        self._width = 0

    def show(self, progress: "ImportProgress") -> None:
        now_s = time.monotonic()
        if not self._terminal or now_s - self._shown_s < 0.1:
            return
        self._shown_s = now_s
        passed_s = now_s - self._since_s
        share = progress.bytes_done / (progress.bytes_total or 1)
        left = f", {passed_s * (1 - share) / share:,.0f} s left" if share else ""
        text = f"{share:4.0%}  {progress.messages:,} messages, {progress.messages / passed_s:,.0f}/s{left}"
        self._width = max(self._width, len(text))
        print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)
            self._width = 0


def _tell(result: "ImportResult") -> None:
    from models.domain.time_range import moment_text

    if result.first_skipped is not None:
        first = result.first_skipped
        lines = (
            "1 line is no record and was"
            if result.skipped == 1
            else f"{result.skipped:,} lines are no records and were"
        )
        where = f"{first.path}, line {first.line}: {first.detail}"
        print(f"murmurscope: {lines} left out, the first is {where}", file=sys.stderr)
    counts = [(result.samples, "sample"), (result.logs, "log"), (result.tasks, "task report")]
    read = ", ".join(_number(count, what) for count, what in counts)
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(result.unreadable.items()))
    unreadable = f"{sum(result.unreadable.values()):,} unreadable" + (f" ({reasons})" if reasons else "")
    span = f"from {moment_text(result.since_us)} to {moment_text(result.until_us)}"
    came = f"{_number(result.messages, 'message')} of {_number(result.agents, 'agent')}"
    print(f"imported {came}: {read}, {unreadable}; {span}")


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
