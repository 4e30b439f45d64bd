"""What came and is not stored: it is there at the next start, whole and in order, whatever happened to the files."""

import errno
import os
import random
import threading
from pathlib import Path

import pytest

from models.domain.arrivals import Arrival, Source
from models.storage import journal as module
from models.storage.journal import REST_US, RETRY_US, SLOW_US, ArrivalJournal
from models.storage.workspace import Workspace
from tests.helpers.clock import FakeClock

HERE = Source("mqtt://broker:1883", "me", version_5=False)
THERE = Source("mqtts://andere-brücke", "me", version_5=True)


def arrival(number: int) -> Arrival:
    return Arrival(number, 1_000 + number, b"%d" % number * (number % 50 + 1))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def left_over(workspace: Workspace, clock: FakeClock, stored_to: int = 0) -> list[tuple[Source, list[Arrival]]]:
    journal = ArrivalJournal(workspace, clock, stored_to)
    try:
        return journal.left_over()
    finally:
        journal.close()


def test_what_is_not_stored_is_there_at_the_next_start_by_where_it_came_from(
    workspace: Workspace, clock: FakeClock
) -> None:
    journal = ArrivalJournal(workspace, clock, 0)
    assert [journal.next_number() for _ in range(3)] == [1, 2, 3]
    assert journal.keep(HERE, [arrival(1), arrival(2)])
    assert journal.keep(HERE, [arrival(3)])
    assert journal.keep(THERE, [arrival(4), arrival(4)])
    assert journal.left_over() == [], "that is of this run"
    journal.close()
    journal.close()
    assert left_over(workspace, clock, 1) == [(HERE, [arrival(2), arrival(3)]), (THERE, [arrival(4), arrival(4)])]
    assert left_over(workspace, clock, 4) == []


def test_what_came_as_one_list_keeps_its_order(workspace: Workspace, clock: FakeClock) -> None:
    journal = ArrivalJournal(workspace, clock, 0)
    pieces = [Arrival(7, 1_000, packets) for packets in (b"z", b"a", b"m")]
    assert journal.keep(HERE, pieces)
    journal.close()
    assert left_over(workspace, clock) == [(HERE, pieces)]


def test_numbers_go_on_behind_what_is_stored_and_what_is_left(workspace: Workspace, clock: FakeClock) -> None:
    journal = ArrivalJournal(workspace, clock, 70)
    assert journal.next_number() == 71
    assert journal.keep(HERE, [arrival(90)])
    journal.close()
    journal = ArrivalJournal(workspace, clock, 70)
    assert journal.next_number() == 91
    journal.stored(90)
    assert journal.left_over() == []
    journal.close()


def test_what_is_stored_is_gone_after_an_end_whatever_becomes_of_the_segments(
    workspace: Workspace, clock: FakeClock
) -> None:
    journal = ArrivalJournal(workspace, clock, 0)
    for number in (1, 2, 3):
        assert journal.keep(HERE, [arrival(number)])
    journal.stored(3)
    journal.close()
    assert left_over(workspace, clock, 0) == []
    assert not any(workspace.journal(1).read_bytes()), "nor would it come up behind new ones"


def test_only_its_owner_may_read_it(workspace: Workspace, clock: FakeClock) -> None:
    ArrivalJournal(workspace, clock, 0).close()
    assert [workspace.journal(n).stat().st_mode & 0o777 for n in (1, 2)] == [0o600, 0o600]


def test_two_files_take_turns_and_stay_small(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TURN_BYTES", 4_000)
    journal, chance = ArrivalJournal(workspace, clock, 0), random.Random(1)
    stored_to = 0
    for number in range(1, 2_000):
        assert journal.keep(HERE, [arrival(number)])
        if chance.random() < 0.3:
            journal.stored(stored_to := max(stored_to, number - chance.randrange(12)))
        if number % 100 == 0:
            assert left_over(workspace, clock, stored_to) == [
                (HERE, [arrival(n) for n in range(stored_to + 1, number + 1)])
            ]
    journal.close()
    assert all(0 < workspace.journal(n).stat().st_size < 8_000 for n in (1, 2))


def test_a_long_backlog_gives_its_room_back(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TURN_BYTES", 4_000)
    journal = ArrivalJournal(workspace, clock, 0)
    for number in range(1, 500):
        assert journal.keep(HERE, [arrival(number)])
    assert workspace.journal(2).stat().st_size > 20_000
    journal.stored(499)
    for number in (500, 501):
        assert journal.keep(HERE, [arrival(number)])
        journal.stored(number)
    for number in range(502, 600):
        assert journal.keep(HERE, [arrival(number)])
        journal.stored(number)
    assert all(workspace.journal(n).stat().st_size < 8_000 for n in (1, 2))
    journal.close()


def test_damage_ends_the_reading_and_never_brings_anything_false(workspace: Workspace, clock: FakeClock) -> None:
    journal = ArrivalJournal(workspace, clock, 0)
    for number in range(1, 60):
        assert journal.keep(HERE, [arrival(number)])
    end = journal._files[0].end
    journal.close()
    path, whole, chance = workspace.journal(1), workspace.journal(1).read_bytes()[:end], random.Random(2)
    expected = [arrival(number) for number in range(1, 60)]
    for turn in range(300):
        damaged = bytearray(whole)
        if turn % 3:
            at = chance.randrange(len(damaged))
            damaged[at : at + 16] = chance.randbytes(16)
        else:
            del damaged[chance.randrange(len(damaged)) :]
        path.write_bytes(damaged)
        found = [one for _, arrivals in left_over(workspace, clock) for one in arrivals]
        assert found == expected[: len(found)]
        assert len(found) < 59


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_a_disk_that_fails_is_told_left_alone_for_a_while_and_used_again(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    journal = ArrivalJournal(workspace, clock, 0)
    assert journal.keep(HERE, [arrival(1)])
    tries = []

    def fails(*_: object) -> int:
        tries.append(1)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fails)
        assert not journal.keep(HERE, [arrival(2), arrival(3)])
        assert not journal.keep(HERE, [arrival(4)])
        assert len(tries) == 1
        assert journal.problem is not None
        assert journal.problem.code == "store.io"
    clock.advance(RETRY_US)
    assert journal.keep(HERE, [arrival(5)])
    assert journal.problem is None
    journal.close()
    assert left_over(workspace, clock) == [(HERE, [arrival(1), arrival(5)])]


def test_a_slow_disk_is_told_while_it_is_waited_for_and_left_alone_for_a_while(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, took_us, seen = ArrivalJournal(workspace, clock, 0), [SLOW_US - 1], list[int | None]()

    def sync(_: int) -> None:
        seen.append(journal.busy_since_us)
        clock.advance(took_us[0])

    monkeypatch.setattr(os, "fdatasync", sync)
    began_us = clock.monotonic_us()
    assert journal.keep(HERE, [arrival(1)])
    took_us[0] = SLOW_US
    assert journal.keep(HERE, [arrival(2)]), "it is safe all the same"
    assert seen == [began_us, began_us + SLOW_US - 1]
    assert journal.busy_since_us is None
    clock.advance(REST_US - 1)
    assert not journal.keep(HERE, [arrival(3)])
    clock.advance(1)
    assert journal.keep(HERE, [arrival(4)])
    assert len(seen) == 3
    assert journal.problem is None
    journal.close()
    assert left_over(workspace, clock) == [(HERE, [arrival(1), arrival(2), arrival(4)])]


def test_a_thread_that_follows_one_that_hangs_does_not_wait_for_it(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, hangs, goes_on = ArrivalJournal(workspace, clock, 0), threading.Event(), threading.Event()

    def sync(_: int) -> None:
        hangs.set()
        goes_on.wait()

    monkeypatch.setattr(os, "fdatasync", sync)
    before = threading.Thread(target=journal.keep, args=(HERE, [arrival(journal.next_number())]))
    before.start()
    try:
        hangs.wait()
        assert not journal.keep(HERE, [arrival(journal.next_number())])
        assert journal.busy_since_us is not None
    finally:
        goes_on.set()
        before.join()
    assert journal.keep(HERE, [arrival(journal.next_number())])
    journal.close()


def test_a_record_behind_a_later_one_is_refused(workspace: Workspace, clock: FakeClock) -> None:
    """Of a network thread that hung and was replaced: reading would end there."""
    journal = ArrivalJournal(workspace, clock, 0)
    assert journal.keep(HERE, [arrival(105)])
    assert not journal.keep(HERE, [arrival(101)])
    assert journal.keep(HERE, [arrival(106)])
    journal.close()
    assert left_over(workspace, clock) == [(HERE, [arrival(105), arrival(106)])]


def test_what_a_failed_sync_left_does_not_come_twice(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(module, "TURN_BYTES", 100)
    journal = ArrivalJournal(workspace, clock, 0)
    for number in range(1, 7):
        assert journal.keep(HERE, [arrival(number)])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fails)
        assert not journal.keep(HERE, [arrival(7)])
    journal.stored(3)
    clock.advance(RETRY_US)
    assert journal.keep(HERE, [arrival(7), arrival(8)])
    journal.close()
    assert left_over(workspace, clock, 3) == [(HERE, [arrival(number) for number in range(4, 9)])]


def test_its_room_is_there_from_the_start_and_a_full_disk_is_no_reason_not_to_begin(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        ArrivalJournal(workspace, clock, 0).close()
    assert [workspace.journal(n).stat().st_size for n in (1, 2)] == [0, 0]
    ArrivalJournal(workspace, clock, 0).close()
    assert [workspace.journal(n).stat().st_size for n in (1, 2)] == [module.TURN_BYTES] * 2


def test_what_is_read_in_parts_is_read_whole_and_what_cannot_be_read_is_not_the_end(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.pread
    journal = ArrivalJournal(workspace, clock, 0)
    assert journal.keep(HERE, [arrival(1), arrival(2)])
    journal.close()
    monkeypatch.setattr(os, "pread", lambda handle, size, at: read(handle, min(size, 1_000), at))
    assert left_over(workspace, clock) == [(HERE, [arrival(1), arrival(2)])]
    monkeypatch.setattr(os, "pread", lambda handle, size, at: b"")
    with pytest.raises(OSError, match="Input/output error"):
        ArrivalJournal(workspace, clock, 0)


def test_what_a_short_write_leaves_is_written_on(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite
    journal = ArrivalJournal(workspace, clock, 0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda handle, data, at: write(handle, data[:7], at))
        assert journal.keep(HERE, [arrival(30), arrival(31)])
    journal.close()
    assert left_over(workspace, clock) == [(HERE, [arrival(30), arrival(31)])]
