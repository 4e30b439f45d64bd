"""`import`: recorded traffic, a backup or another workspace into this one, beside what is recorded here."""

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.by_recorder import by_recorder
from app.cli.telling import Teller, add_option, is_told
from app.cli.workspace_argument import workspace_of
from models.domain.problems import ExitCode, trouble

if TYPE_CHECKING:
    from models.domain.recorded import ImportProgress, ImportResult, OnProgress
    from models.storage.lock import RecorderLock
    from models.storage.workspace import Workspace

EPILOG = """\
examples:
  mosquitto_sub -h broker.example -t '#' -F %j > fleet.jsonl       record with Mosquitto's own tool, Ctrl+C to end
  murmurscope import fleet.jsonl
  murmurscope import monday.jsonl.gz tuesday.jsonl.gz
  ssh recorder.example murmurscope backup --since 24h - > day.tar.gz
  murmurscope import day.tar.gz                                    what a server recorded, beside what is recorded here
  ssh recorder.example murmurscope backup --since 24h - | murmurscope import -
  murmurscope import /media/stick/workspace                        a workspace that was copied

Of a backup, or of the folder of a workspace that nobody records into just now, comes in what is not held yet: captures with
their messages, samples, logs, gaps and presence, and the names and notes that somebody gave to agents, where there are none
here. Importing the same again adds nothing, and backups may overlap: a file of history that was still being written takes the
place of its beginning. All of it or nothing; the backup or folder stays as it is. Nobody is online here for having been online
there.

A file of recorded traffic holds one JSON object a line, plain or gzipped. Either what mosquitto_sub -F %j prints (or %J; there "retain" 1 means
that the broker only repeated a message), or:
  ts           when it arrived, Unix seconds
  topic, qos, retain
  payload_b64  the payload in base64
  props        optional: ContentType, ResponseTopic, CorrelationData (base64), MessageExpiryInterval, UserProperty (pairs)
  origin       optional: live (the default), or replay: the broker only repeated it

Messages count as received when they were recorded. All files together become one capture, in the order of their first
records: all of it is stored or nothing; Ctrl+C leaves nothing behind. Works while a recorder runs, whose own traffic goes on.
What is known live of an agent is never replaced by something older. Imports have
limits of their own (the Data screen, or settings.toml), and what is recorded never goes for them: one for which older imports
would have to go is refused unless --make-room lets them go. The age of an import counts from the day of the import. A
file that is held already, or named twice, is refused unless --again asks for a second copy.

A file whose first line is no record is refused. Later lines that are none, such as a last line that was cut off, are counted
and left out: the exit code is then 1, and everything else is imported.
"""

_BLOCK_BYTES = 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `import`."""
    parser.epilog = EPILOG
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="recorded traffic, a backup, or the folder of a workspace; - is stdin"
    )
    add_option(parser)
    parser.add_argument("--again", action="store_true", help="also traffic that was imported before, a second time")
    parser.add_argument(
        "--make-room", action="store_true", help="where imports would hold more than they may, let the oldest go"
    )


def run(args: argparse.Namespace) -> int:
    """Have the recorder import, or do it where none runs. Raises `EnvironmentProblem` "import.*", "backup.*", "file.unusable",
    "workspace.*", "store.*", "settings.unreadable"."""
    workspace = workspace_of(args)
    progress: _Progress | _Lines = _Lines() if is_told(args) else _Progress()
    try:
        with contextlib.ExitStack() as held:
            paths = [held.enter_context(_piped()) if name == "-" else Path(name) for name in args.files]
            result = bring(workspace, paths, progress.show, again=args.again, make_room=args.make_room)
    except KeyboardInterrupt:
        progress.cancelled()
        raise
    except BaseException:
        progress.end()
        raise
    progress.tell(result)
    return ExitCode.FAILED if result.skipped or result.damaged_segments else ExitCode.OK


def bring(
    workspace: "Workspace", paths: list[Path], show: "OnProgress", *, again: bool = False, make_room: bool = False
) -> "ImportResult":
    """By the recorder, or here where none runs. Raises as `run`."""
    result = by_recorder(workspace, lambda client: client.import_files(paths, show, again=again, make_room=make_room))
    return _here(workspace, paths, show, again=again, make_room=make_room) if result is None else result


@contextlib.contextmanager
def _piped() -> Iterator[Path]:
    """What comes on stdin as a file for a while: a recorder cannot read from our pipe."""
    import platformdirs

    from models.storage.store_errors import NO_SPACE
    from models.storage.workspace import APP_NAME

    folder = platformdirs.user_cache_path(APP_NAME)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix="import-", dir=folder) as file:
        try:
            shutil.copyfileobj(sys.stdin.buffer, file, _BLOCK_BYTES)
            file.flush()
        except OSError as error:
            code = "file.full" if error.errno in NO_SPACE else "file.unusable"
            raise trouble(code, path=str(folder), detail=error.strerror or str(error)) from error
        yield Path(file.name)


def _here(
    workspace: "Workspace", paths: list[Path], show: "OnProgress", *, again: bool, make_room: bool
) -> "ImportResult":
    from app.cli.rules import rules_said
    from app.ending import Ending
    from app.recorder.import_run import Importer, at_once
    from app.recorder.imports import Imports
    from app.recorder.merge_run import Merger
    from app.settings import SettingsFile
    from app.store_limits import store_limits
    from app.version import VERSION
    from models.domain.clock import SystemClock
    from models.domain.connection import Connection
    from models.domain.masking import Masking
    from models.storage.access import refuse_untouched
    from models.storage.lock import RecorderLock
    from models.storage.writing.writer import StoreWriter

    clock = SystemClock()
    refuse_untouched(workspace)
    settings = SettingsFile(workspace.settings).load()
    lock = RecorderLock(workspace, clock)
    lock.acquire(VERSION)
    try:
        store = StoreWriter(workspace, clock, store_limits(settings.retention))
        ending = Ending()
        beat = Beat(lock)

        def shown(progress: "ImportProgress") -> None:
            if (
                ending.asked.is_set()
            ):  # not within a slice: what is being written ends well, then all of it is taken back
                raise KeyboardInterrupt
            beat.beat()
            show(progress)

        try:
            prefix = (settings.connection or Connection()).prefix
            rules = rules_said(workspace)
            imports = Imports(
                Importer(store, at_once, clock, Masking(settings.hidden_keys), lambda: rules),
                Merger(workspace, store, at_once, clock),
            )
            return imports.run(paths, prefix, shown, again=again, make_room=make_room)
        finally:
            store.close()
    finally:
        lock.release()


class Beat:
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
        came = (
            f"{progress.messages:,} messages, {progress.messages / passed_s:,.0f}/s" if progress.messages else "reading"
        )
        text = f"{share:4.0%}  {came}{left}"
        self._width = max(self._width, len(text))
        print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)

    def tell(self, result: "ImportResult") -> None:
        self.end()
        _tell(result)

    def cancelled(self) -> None:
        self.end()
        print("murmurscope: cancelled, nothing was imported", file=sys.stderr)

    def end(self) -> None:
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)
            self._width = 0


class _Lines:
    """For the window that started us."""

    def __init__(self) -> None:
        self._teller = Teller()

    def show(self, progress: "ImportProgress") -> None:
        self._teller.progress(done=progress.bytes_done, total=progress.bytes_total, messages=progress.messages)

    def tell(self, result: "ImportResult") -> None:
        self._teller.tell("result", asdict(result))

    def cancelled(self) -> None:
        """Whoever cancelled it knows."""

    end = cancelled


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
    if result.damaged_segments:
        files = _number(result.damaged_segments, "file")
        print(f"murmurscope: {files} of history damaged or missing there, and left out", file=sys.stderr)
    held = f"; {_number(result.held_segments, 'file')} of history held already" if result.held_segments else ""
    if not result.messages and not result.since_us:
        print(f"nothing new was imported{held}")
        return
    counts = [(result.samples, "sample"), (result.logs, "log"), (result.tasks, "task report")]
    read = ", ".join(_number(count, what) for count, what in counts)
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(result.unreadable.items()))
    unreadable = f"{sum(result.unreadable.values()):,} unreadable" + (f" ({reasons})" if reasons else "")
    span = f"from {moment_text(result.since_us)} to {moment_text(result.until_us)}"
    came = f"{_number(result.messages, 'message')} of {_number(result.agents, 'agent')}"
    print(f"imported {came}: {read}, {unreadable}; {span}{held}")


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
