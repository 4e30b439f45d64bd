"""A disk that is really full: a small file system of its own, in a name space of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.needs import missing
from tests.helpers.recorder_process import REPOSITORY

pytestmark = pytest.mark.services

PROGRAM = """
import dataclasses, json, subprocess, sys
from pathlib import Path
from models.domain.problems import EnvironmentProblem
from models.storage import journal
from models.storage.copies.verify import verify
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreLimits, StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.store_life import numbered, stored, BATCH

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(disk)], check=True)
journal.TURN_BYTES = 60_000  # all is small here
workspace, clock = Workspace.at(disk / "ws"), FakeClock()
limits = StoreLimits(segment_bytes=400_000, reserve_bytes=1_000_000)
writer = StoreWriter(workspace, clock, limits)
writer.begin_capture("mqtt://broker", "client")
told, refused, messages = {}, [], 0


def attempt(action, what):
    try:
        action()
    except EnvironmentProblem as error:
        refused.append((what, error.problem.code))
        return False
    return True


while attempt(lambda: writer.commit(numbered(writer, clock, messages)), "commit"):
    messages += BATCH
    clock.advance(1_100_000)
    attempt(writer.housekeep, "upkeep")
told["reserve"] = workspace.reserve.stat().st_size
with (disk / "filler").open("wb", buffering=0) as filler:  # not a byte is left
    try:
        while filler.write(b"x" * 4096):
            pass
    except OSError:
        pass
told["still"] = attempt(lambda: writer.commit(numbered(writer, clock, messages)), "commit")
told["lower"] = attempt(lambda: writer.use_limits(dataclasses.replace(limits, retention_bytes=3_000_000)), "limits")
told["again"] = attempt(lambda: writer.commit(numbered(writer, clock, messages)), "commit")
messages += BATCH
told["given back"] = not workspace.reserve.exists()
(disk / "filler").unlink()
writer.close()
numbers = stored(workspace)[0]
told["stored"] = numbers == list(range(numbers[0], messages)) and numbers[0] > 0
told["findings"] = list(verify(workspace))
told["codes"] = sorted({code for _, code in refused})
print(json.dumps(told))
"""


def test_history_can_be_removed_from_a_full_disk(tmp_path: Path) -> None:
    unshare = shutil.which("unshare") or missing("unshare")
    command = [str(unshare), "--user", "--map-root-user", "--mount"]
    if subprocess.run(
        [*command, "mount", "-t", "tmpfs", "none", str(tmp_path)], capture_output=True, check=False
    ).returncode:
        pytest.skip("this system lets nobody mount a file system of his own")
    done = subprocess.run(
        [*command, sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, cwd=REPOSITORY,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "reserve": 1_000_000, "still": False, "lower": True, "again": True, "given back": True, "stored": True,
        "findings": [], "codes": ["store.full"],
    }  # fmt: skip
