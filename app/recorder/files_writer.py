"""The process that writes files, as the recorder keeps it: started, started again, ended, and asked how it is."""

import time
from collections.abc import Callable, Iterator

from app.files.beginning import beginning_of
from app.files.options import FilesOptions
from app.files.status import FilesStatus, files_place, read_status
from app.own_process import own_command
from app.recorder.child import Child
from models.domain.clock import Clock
from models.domain.problems import Problem
from models.storage.workspace import Workspace

SILENT_US = 30_000_000
BEGINS_US = 5_000_000
"""It takes no longer to start."""
_TURN_S = 0.02


class FilesWriter:
    """Main thread only, but for `warnings`."""

    def __init__(self, workspace: Workspace, options: FilesOptions | None, newest: int, clock: Clock) -> None:
        """`options` None: no files are asked for. `newest`: segment before those of this recorder."""
        self._workspace = workspace
        self._options = options
        self._since = newest
        self._clock = clock
        self._child = Child("the writer of files", clock, files_place(workspace) / "log")
        self._started_us = 0
        self.warnings: tuple[Problem, ...] = ()

    def start(self) -> None:
        """Where files are asked for; before anything is recorded."""
        if self._options is not None:
            self._attempt(self._begin)

    def look(self) -> None:
        """Call about every second: starts it again when it ended, and takes notice of how it is."""
        if self._options is None:
            return
        path, now_us = str(self._options.folder), self._clock.wall_us()
        if not self._child.pid and self._child.exit_code is None:
            self._attempt(self._begin)  # it could not even be started
            return
        if not self._child.pid:
            detail = self._child.output_tail() or f"code {self._child.exit_code}"
            self.warnings = (Problem("files.ended", {"path": path, "detail": detail}),)
            self._attempt(lambda: self._child.keep(self._restart))
            return
        status = read_status(self._workspace)
        if status is None or status.pid != self._child.pid:  # it has only just begun
            status = FilesStatus(self._child.pid, self._started_us, path, self._options.format)
        self.warnings = tuple(_warnings(status, path, now_us))

    def stop(self) -> None:
        """End it, once all is stored: it still writes what is there. `warnings` tell what it left."""
        pid = self._child.pid
        until_us = self._clock.monotonic_us() + BEGINS_US
        while self._child.pid and not self._has_begun() and self._clock.monotonic_us() < until_us:
            time.sleep(_TURN_S)  # before, it would end without having written anything
        self._child.stop()
        status = read_status(self._workspace)
        if status is not None and status.pid == pid:
            self.warnings = tuple(_warnings(status, status.folder, self._clock.wall_us()))

    def _has_begun(self) -> bool:
        status = read_status(self._workspace)
        return status is not None and status.pid == self._child.pid

    def _attempt(self, start: Callable[[], object]) -> None:
        try:
            files_place(self._workspace).mkdir(mode=0o700, exist_ok=True)
            start()
        except OSError as error:
            params = {"path": str(self._workspace.root), "detail": error.strerror or str(error)}
            self.warnings = (Problem("files.ended", params),)

    def _begin(self) -> None:
        assert self._options is not None
        self._since = beginning_of(self._workspace, self._options.folder, self._since)
        self._restart()

    def _restart(self) -> None:
        options = self._options
        assert options is not None
        self._started_us = self._clock.wall_us()
        argv = own_command(
            "write-files", "--workspace", str(self._workspace.root), "--since", str(self._since),
            "--files", str(options.folder), "--files-format", options.format, "--files-bytes", str(options.total_bytes),
        )  # fmt: skip
        self._child.start(argv)


def _warnings(status: FilesStatus, path: str, now_us: int) -> Iterator[Problem]:
    if now_us - status.beat_us > SILENT_US:
        yield Problem("files.silent", {"path": path, "seconds": SILENT_US // 1_000_000})
    elif status.problem is not None:
        params = dict(status.problem.params)
        if "count" in params:
            params["count"] = magnitude(status.behind)
        yield Problem(status.problem.code, params)
    if status.lost:
        yield Problem("files.lost", {"path": path, "count": magnitude(status.lost)})


def magnitude(count: int) -> int:
    """The power of ten that a number has reached: news only when it has grown tenfold. 0 for 0."""
    return 10 ** (len(str(count)) - 1) if count > 0 else 0
