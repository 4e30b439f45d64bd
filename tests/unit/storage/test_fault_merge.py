"""Every call of the disk fails while another workspace is brought in: it comes whole or not at all, and what is here stays. A file
there that cannot be read is left out and told."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from models.domain.problems import EnvironmentProblem
from tests.helpers.clock import FakeClock
from tests.helpers.faulty_disk import IO_ERRORS, SYSTEM_CALLS, Fault, FaultyDisk
from tests.helpers.merging import Recorder, whole

CALLS = (*IO_ERRORS, *SYSTEM_CALLS)
SHORT = 23
"""In the short form one call in so many fails."""
THEIRS, GREW, OURS = 6, 4, 3


@pytest.fixture
def made(fast_folder: Path) -> tuple[Path, Path]:
    """A workspace that holds the beginning of another one, and a backup of that as it is now: that has grown, and more."""
    clock = FakeClock()
    server, laptop = Recorder(fast_folder / "server", clock), Recorder(fast_folder / "laptop", clock, first_agent=100)
    laptop.begin()
    laptop.record(OURS)
    server.begin()
    server.record(THEIRS)
    laptop.bring(server.back_up(fast_folder / "b"))
    laptop.store.close()
    server.record(GREW)
    server.begin()
    server.record(1)
    server.back_up(fast_folder / "b")
    server.store.close()
    return fast_folder / "laptop", fast_folder / "b"


def bring(laptop: Path, backup: Path, folder: Path, fault: Fault) -> Counter[str]:
    """Answers the calls of the disk that it took, and how many failed."""
    shutil.copytree(laptop, folder)
    disk = FaultyDisk(folder)
    code, left_out = "", 0
    with disk.installed():
        one = Recorder(folder, FakeClock())
        disk.fail(fault)
        try:
            left_out = one.bring(backup).damaged_segments
        except EnvironmentProblem as error:
            code = error.problem.code
        calls = disk.calls + Counter(failed=disk.failed)
        disk.mend()
        one.begin()
        one.record(1)
        assert one.store.problems == []
        one.store.close()
    again = Recorder(folder, FakeClock())
    assert again.store.problems == []
    again.store.close()
    whole(again)
    told = again.exported()
    brought = len(told["messages"]) // 2 - (OURS + THEIRS + 1)
    if left_out:  # there, and told: who wants it brings it again
        assert brought in {1, GREW}, fault
        assert "damaged" in {row["cause"] for row in told["gaps"]}
    else:
        assert brought == (0 if code else GREW + 1), (fault, code)
    assert code in {"", "store.io", "file.unusable", "backup.damaged"}, fault
    shutil.rmtree(folder)
    return calls


def go_through(made: tuple[Path, Path], folder: Path, kind: str, every: int) -> None:
    total = bring(*made, folder / "life", Fault("none", 0))[kind]
    for number in range(1 + len(kind) % min(every, total or 1), total + 1, every):
        assert bring(*made, folder / "life", Fault(kind, number))["failed"]
    print(f"{kind}: {total} calls")


@pytest.mark.parametrize("kind", CALLS)
def test_some_calls_of_a_merge_fail(made: tuple[Path, Path], fast_folder: Path, kind: str) -> None:
    go_through(made, fast_folder, kind, SHORT)


@pytest.mark.long
@pytest.mark.parametrize("kind", CALLS)
def test_every_call_of_a_merge_fails(made: tuple[Path, Path], fast_folder: Path, kind: str) -> None:
    go_through(made, fast_folder, kind, 1)
