"""What the control channel may ask, carried out by the recorder's parts."""

import os
from collections.abc import Callable
from pathlib import Path

from app.control_wire import problem_to
from app.recorder.broker_link import BrokerLink
from app.recorder.control_line import Report
from app.recorder.files_writer import FilesWriter
from app.recorder.imports import Imports
from app.recorder.ingest import Ingest
from app.recorder.late_reread import LateReread
from app.recorder.log_file import Faults, SecretMask
from app.recorder.reread_run import Rereader
from app.recorder.sealing import Sealer
from app.recorder.supervisor import Requests
from app.recorder.tasks.verbs import TaskVerbs
from app.version import VERSION
from models.domain.connection import Connection, Secret
from models.domain.control import PROTOCOL_VERSION, RecorderState
from models.domain.problems import ExitCode, Problem, trouble
from models.domain.publishing import OutgoingMessage, Published
from models.domain.recorded import ImportResult, OnProgress, RereadProgress, RereadResult

SUBMIT_LIMIT_S = 10.0
Test = Callable[[Connection, Secret | None, Report], object]
Publish = Callable[[OutgoingMessage], Published]


class RecorderVerbs:
    """Any thread."""

    def __init__(
        self, requests: Requests, wake: Callable[[bool], None], link: BrokerLink, ingest: Ingest, files: FilesWriter,
        sealer: Sealer,
        faults: Faults, mask: SecretMask, test: Test, publish: Publish, imports: Imports, rereader: Rereader, late: LateReread, tasks: TaskVerbs, started_by: str,
        started_us: int, log_path: str,
    ) -> None:  # fmt: skip
        """`wake(anew)`: look at the settings again; called in the main thread."""
        self._requests = requests
        self._wake = wake
        self._link = link
        self._ingest = ingest
        self._files = files
        self._sealer = sealer
        self._faults = faults
        self._mask = mask
        self._test = test
        self.publish = publish
        self._imports = imports
        self._rereader = rereader
        self._late = late
        self.task = tasks.carry_out
        self._tasks = tasks
        self._started_by = started_by
        self._started_us = started_us
        self._log_path = log_path

    def state(self) -> RecorderState:
        view = self._link.view
        problem = self._ingest.problem or view.problem
        warnings = [
            problem_to(one)
            for one in (
                *view.warnings,
                *self._ingest.warnings,
                *self._files.warnings,
                *self._sealer.warnings,
                *self._late.warnings,
                *self._tasks.warnings,
            )
        ]
        if view.problem is not None and problem is not view.problem:
            warnings.append(problem_to(view.problem))
        if self._faults.count:
            warnings.append(
                problem_to(Problem("recorder.faults", {"count": self._faults.count, "path": self._log_path}))
            )
        return RecorderState(
            pid=os.getpid(),
            version=VERSION,
            protocol=PROTOCOL_VERSION,
            started_by=self._started_by,
            started_us=self._started_us,
            link=view.link,
            since_us=view.since_us,
            broker_url=view.broker_url,
            mqtt_version=view.mqtt_version,
            in_bulk=view.in_bulk,
            embedded=view.embedded,
            problem=problem_to(problem) if problem is not None else None,
            warnings=tuple(warnings),
            counters=self._ingest.counters(),
            store_bytes=self._ingest.store_bytes,
            disk_days=self._ingest.disk_days,
            broker=self._ingest.broker,
        )

    def submit(self, commands: list[dict[str, object]]) -> None:
        try:
            self._ingest.submit(commands, SUBMIT_LIMIT_S)
        except ValueError as error:
            raise trouble("recorder.request", detail=str(error)) from error
        except TimeoutError as error:
            raise trouble("recorder.silent", pid=os.getpid(), seconds=round(SUBMIT_LIMIT_S)) from error

    def secret(self, secret: Secret) -> None:
        self._mask.hide(secret)
        self._requests.ask(lambda: self._link.give_secret(secret))

    def test_connection(self, connection: Connection, secret: Secret | None, report: Report) -> None:
        """Without a password, the one in use counts if it is for the same broker and user."""
        self._mask.hide(secret)
        known = self._link.connection
        if secret is None and known is not None and known.url == connection.url:
            secret = self._link.secret
        self._test(connection, secret, report)

    def import_files(self, paths: list[Path], on_progress: OnProgress, *, again: bool, make_room: bool) -> ImportResult:
        """The topics of our own contract are looked for where the recorded broker has them."""
        prefix = (self._link.connection or Connection()).prefix
        with self._late.held_off():
            return self._imports.run(paths, prefix, on_progress, again=again, make_room=make_room)

    def reread(self, since_us: int, until_us: int, on_progress: Callable[[RereadProgress], None]) -> RereadResult:
        """With the rules as they stand in the file now, which from now on are also those of what comes. As `import_files` as to
        our own topics."""
        self.wake()
        prefix = (self._link.connection or Connection()).prefix
        with self._late.held_off():
            return self._rereader.run(since_us, until_us, prefix, on_progress)

    def wake(self, *, anew: bool = False) -> None:
        self._requests.ask(lambda: self._wake(anew))

    def stop(self) -> None:
        self._requests.end(ExitCode.OK)
