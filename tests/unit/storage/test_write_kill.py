"""A recorder that is killed at any moment: every batch it reported is there afterwards, once."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from models.domain.clock import SystemClock
from models.storage.engine import open_reader
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.store import rows

CHILD = """
import sys
from models.domain.clock import SystemClock
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreLimits, StoreWriter
from tests.helpers.store import batch_of, message

clock = SystemClock()
limits = StoreLimits(segment_bytes=400_000)
writer = StoreWriter(Workspace.at(sys.argv[1]), clock, limits)
writer.begin_capture("mqtt://broker", "client")
number = int(sys.argv[2])
print("ready", flush=True)
while True:
    now = clock.wall_us()
    messages = [message(now, b"t", b"%d" % (number + n) + b"." * 2_000, packet_id=1 + n) for n in range(5)]
    writer.commit(batch_of(writer.names, messages, [f"agent-{number % 7}"] * 5, [(0, "cpu_percent", float(number))]))
    print(number + 4, flush=True)
    number += 5
    writer._upkept_us = 0  # upkeep all the time: its moments are to be hit, too
    writer.housekeep()
"""


def kill_once(workspace: Workspace, first: int, chance: random.Random) -> int:
    """Let a child commit, kill it at some moment, answer the last number that it reported (or `first` - 1)."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(workspace.root), str(first)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    reported = first - 1
    try:
        assert child.stdout.readline() == "ready\n"
        for _ in range(chance.randrange(1, 40)):
            reported = int(child.stdout.readline())
        spin = chance.randrange(0, 200_000)
        while spin:  # some microseconds to milliseconds further on
            spin -= 1
    finally:
        child.kill()
        rest = child.stdout.read().split()
        child.wait()
        child.stdout.close()
    return int(rest[-1]) if rest else reported


def stored_numbers(workspace: Workspace) -> list[int]:
    found = []
    for (id_,) in rows(workspace, "catalogue", "SELECT id FROM segment WHERE state <> 'removed' ORDER BY id"):
        found += [
            int(payload.rstrip(b".")) for (payload,) in rows(workspace, id_, "SELECT payload FROM message ORDER BY seq")
        ]
    return found


def check_kills(workspace: Workspace, kills: int) -> None:
    chance = random.Random(20261123)
    first = 0
    for _ in range(kills):
        reported = kill_once(workspace, first, chance)
        writer = StoreWriter(workspace, SystemClock())
        assert writer.problems == []
        writer.close()
        numbers = stored_numbers(workspace)
        assert numbers == list(range(len(numbers))), "nothing twice, nothing out of order"
        assert len(numbers) > reported, "a reported batch is missing"
        assert len(numbers) % 5 == 0, "half a batch"
        first = len(numbers)
    ((messages, agents),) = rows(workspace, "catalogue", "SELECT sum(messages), count(*) FROM agent_now")
    assert (messages, agents) == (first, min(7, agents))
    states = rows(workspace, "catalogue", "SELECT state, count(*), sum(messages) FROM segment GROUP BY 1")
    assert [row[0] for row in states] == ["closed"]
    assert states[0][2] == first
    for (id_,) in rows(workspace, "catalogue", "SELECT id FROM segment"):
        reader = open_reader(workspace.segment(id_))
        assert reader.pragma("integrity_check") == "ok"
        reader.close()


def test_twenty_kills(tmp_path: Path) -> None:
    check_kills(Workspace.at(tmp_path / "ws"), 20)


@pytest.mark.long
def test_two_hundred_kills(tmp_path: Path) -> None:
    check_kills(Workspace.at(tmp_path / "ws"), 200)


LIMITED = """
import resource, sys
from models.domain.clock import SystemClock
from models.domain.problems import EnvironmentProblem
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.store import batch_of, message

clock = SystemClock()
writer = StoreWriter(Workspace.at(sys.argv[1]), clock)
writer.begin_capture("mqtt://broker", "client")
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
stored = failed = 0
for number in range(60):
    batch = batch_of(writer.names, [message(clock.wall_us(), b"t", b"%d" % number + b"." * 20_000)] * 2, ["a", f"b{number}"])
    if number in (5, 25):
        resource.setrlimit(resource.RLIMIT_FSIZE, (900_000 + 400_000 * (number // 25), hard))  # the log cannot grow on
    while True:
        try:
            writer.commit(batch)
            break
        except EnvironmentProblem as error:
            assert error.problem.code in ("store.io", "store.full"), error
            failed += 1
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
writer.close()
print(failed)
"""


def test_a_write_that_the_system_refuses_is_told_and_done_again(tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path / "ws")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(workspace.root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert int(done.stdout) >= 1
    assert stored_numbers(workspace) == [number for number in range(60) for _ in range(2)]
    assert rows(workspace, "catalogue", "SELECT messages, state FROM segment") == [(120, "closed")]
