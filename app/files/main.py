"""The process that writes files: follows the store of a workspace until it is told to end."""

import fcntl
import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.ending import Ending
from app.files.beginning import forget_beginning
from app.files.filer import Filer
from app.files.folder import FilesFolder
from app.files.options import FilesOptions
from app.files.status import files_place, write_status
from models.domain.clock import SystemClock
from models.storage.history.follow import Follower
from models.storage.identity import read_workspace_id
from models.storage.workspace import Workspace

LOOK_S = 0.2
LOOKS_A_ROUND = 5
END_LIMIT_US = 2_000_000
NICENESS = 10


def write_files(workspace: Workspace, options: FilesOptions, since: int) -> int:
    """Write what is stored in segments after `since`, until SIGTERM or SIGINT; then what is there already, as far as that
    takes no more than two seconds. Main thread of the process. Raises `EnvironmentProblem` workspace.* and store.*."""
    os.umask(0o077)
    os.nice(NICENESS)
    ending = Ending()
    with _alone(workspace, ending.asked) as is_ours:
        if not is_ours:
            return ending.exit_code
        follower = Follower(workspace, jsonl=options.format == "jsonl")
        folder = FilesFolder(options, read_workspace_id(workspace), since, follower.header)
        tell = functools.partial(write_status, workspace)
        entered = functools.partial(forget_beginning, workspace)
        filer = Filer(follower, folder, options, SystemClock(), tell, entered, ending.asked.is_set)
        while not ending.asked.is_set():
            if filer.round():
                continue
            for _ in range(LOOKS_A_ROUND):
                if ending.asked.wait(LOOK_S):
                    break
                filer.look()
        filer.end(END_LIMIT_US)
    return ending.exit_code


@contextmanager
def _alone(workspace: Workspace, asked: threading.Event) -> Iterator[bool]:
    """One process a workspace writes files: wait for the end of one whose recorder was killed. False: we are to end."""
    place = files_place(workspace)
    place.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if asked.wait(LOOK_S):
                    yield False
                    return
        yield True
    finally:
        os.close(handle)
