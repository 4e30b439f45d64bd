"""What came and is not stored: it is there at the next start, whole and in order, whatever happened to the files."""

import errno
import os
import random
import threading
from pathlib import Path

import pytest

from models.domain.arrivals import Arrival, Source
from models.storage import journal as module
from models.storage.journal import REST_US, RETRY_US, SLOW_US, TOLD_US, ArrivalJournal
from models.storage.journal_file import JournalFile
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FakeClock
from tests.helpers.store_life import SOURCE, keep, kill, numbered

HERE = Source("mqtt://broker:1883", "me", version_5=False)
OWNER = "2b7d9a10-5a3e-4c0f-9a51-0c6f7d1e8b42"
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
    journal = ArrivalJournal(workspace, clock, OWNER, stored_to)
    try:
        return journal.left_over()
    finally:
        journal.close()


def test_what_is_not_stored_is_there_at_the_next_start_by_where_it_came_from(
    workspace: Workspace, clock: FakeClock
) -> None:
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
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
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
    pieces = [Arrival(7, 1_000, packets) for packets in (b"z", b"a", b"m")]
    assert journal.keep(HERE, pieces)
    journal.close()
    assert left_over(workspace, clock) == [(HERE, pieces)]


def test_numbers_go_on_behind_what_is_stored_and_what_is_left(workspace: Workspace, clock: FakeClock) -> None:
    journal = ArrivalJournal(workspace, clock, OWNER, 70)
    assert journal.next_number() == 71
    assert journal.keep(HERE, [arrival(90)])
    journal.close()
    journal = ArrivalJournal(workspace, clock, OWNER, 70)
    assert journal.next_number() == 91
    journal.stored(90)
    assert journal.left_over() == []
    journal.close()


def test_what_is_stored_is_gone_after_an_end_whatever_becomes_of_the_segments(
    workspace: Workspace, clock: FakeClock
) -> None:
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
    for number in (1, 2, 3):
        assert journal.keep(HERE, [arrival(number)])
    journal.stored(3)
    journal.close()
    assert left_over(workspace, clock, 0) == []
    assert all(arrival(number).packets not in workspace.journal(1).read_bytes() for number in (1, 2, 3))


def test_only_its_owner_may_read_it(workspace: Workspace, clock: FakeClock) -> None:
    ArrivalJournal(workspace, clock, OWNER, 0).close()
    assert [workspace.journal(n).stat().st_mode & 0o777 for n in (1, 2)] == [0o600, 0o600]


def test_two_files_take_turns_and_stay_small(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TURN_BYTES", 12_000)
    journal, chance = ArrivalJournal(workspace, clock, OWNER, 0), random.Random(1)
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
    assert all(0 < workspace.journal(n).stat().st_size < 16_000 for n in (1, 2))


def test_a_long_backlog_gives_its_room_back(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TURN_BYTES", 12_000)
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
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
    assert all(workspace.journal(n).stat().st_size < 16_000 for n in (1, 2))
    journal.close()


def numbers(left: list[tuple[Source, list[Arrival]]]) -> list[int]:
    return [one.number for _, arrivals in left for one in arrivals]


def kept_file(workspace: Workspace, clock: FakeClock, last: int) -> bytearray:
    """The first file, after each of so many arrivals was kept by itself."""
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
    for number in range(1, last + 1):
        assert journal.keep(HERE, [arrival(number)])
    journal.close()
    return bytearray(workspace.journal(1).read_bytes())


def test_behind_damage_all_that_is_whole_is_found_again_and_the_damage_told(
    workspace: Workspace, clock: FakeClock
) -> None:
    whole, chance = kept_file(workspace, clock, 59), random.Random(2)
    first, end = whole.index(arrival(1).packets) - 60, whole.rindex(arrival(59).packets) + len(arrival(59).packets)
    told = 0
    for _ in range(300):
        damaged = whole.copy()
        at, length = chance.randrange(first, end), chance.choice((1, 16, 512))
        damaged[at : at + length] = bytes(byte ^ 0x5A for byte in damaged[at : at + length])
        workspace.journal(1).write_bytes(damaged)
        journal = ArrivalJournal(workspace, clock, OWNER, 0)
        left = journal.left_over()
        journal.close()
        missing = set(range(1, 60)).difference(numbers(left))
        assert [one for _, arrivals in left for one in arrivals] == [
            arrival(number) for number in range(1, 60) if number not in missing
        ]
        assert len(missing) == max(missing) - min(missing) + 1, "those that the damage meets"
        assert len(missing) <= 1 + length // 10
        assert [one.code for one in journal.damage] == ["journal.damaged"] * (59 not in missing)
        told += len(journal.damage)
        lost = sum(one.params["bytes"] for one in journal.damage)
        assert lost == 0 or lost >= sum(len(arrival(number).packets) for number in missing)
    assert told > 200


def test_a_last_record_that_is_not_whole_is_no_damage(workspace: Workspace, clock: FakeClock) -> None:
    """It may have been under way when the power went; nobody heard that it is safe."""
    whole = kept_file(workspace, clock, 9)
    workspace.journal(1).write_bytes(whole[: whole.index(arrival(9).packets) + 3])
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
    assert numbers(journal.left_over()) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert journal.damage == []
    assert journal.keep(HERE, [arrival(10)])
    journal.close()
    assert numbers(left_over(workspace, clock)) == [1, 2, 3, 4, 5, 6, 7, 8, 10]


def test_damage_of_what_is_stored_is_not_told(workspace: Workspace, clock: FakeClock) -> None:
    whole = kept_file(workspace, clock, 9)
    whole[whole.index(arrival(7).packets)] ^= 1
    for stored_to, codes in ((6, ["journal.damaged"]), (7, [])):
        workspace.journal(1).write_bytes(whole)
        journal = ArrivalJournal(workspace, clock, OWNER, stored_to)
        assert numbers(journal.left_over()) == [8, 9]
        assert [one.code for one in journal.damage] == codes
        journal.close()


def test_nothing_that_a_message_holds_is_taken_for_a_record(
    workspace: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    """As who sends it may know all of our form, but not the mark of the turn."""
    forged = bytes(kept_file(Workspace.at(tmp_path), clock, 20).rstrip(b"\0"))
    for path in (Workspace.at(tmp_path).journal(n) for n in (1, 2)):
        path.unlink()
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
    assert journal.keep(HERE, [Arrival(1, 1_001, forged)])
    assert journal.keep(HERE, [arrival(2)])
    journal.close()
    damaged = bytearray(workspace.journal(1).read_bytes())
    damaged[damaged.index(b"mqtt://broker")] ^= 1
    workspace.journal(1).write_bytes(damaged)
    assert left_over(workspace, clock) == [(HERE, [arrival(2)])]


def test_what_is_left_of_the_turn_before_does_not_come_up_behind_new_ones(tmp_path: Path) -> None:
    """Not even where numbers began again, as the newest segment was lost."""
    path = tmp_path / "one"
    file = JournalFile(path, OWNER, 20_000)
    for number in range(100, 130):
        file.add(HERE, [arrival(number)])
    file.begin_anew()
    file.add(HERE, [arrival(3)])
    file.close()
    file = JournalFile(path, OWNER, 20_000)
    assert [one.arrivals for one in file.records] == [[arrival(3)]]
    file.close()
    content = bytearray(path.read_bytes())
    assert arrival(129).packets in content
    content[content.index(arrival(3).packets)] ^= 1
    path.write_bytes(content)
    file = JournalFile(path, OWNER, 20_000)
    assert file.records == []
    file.close()


def test_one_of_two_heads_is_enough_and_without_any_the_file_is_set_aside(
    workspace: Workspace, clock: FakeClock
) -> None:
    whole = kept_file(workspace, clock, 3)
    for at in (0, 4_096):
        workspace.journal(1).write_bytes(whole[:at] + bytes(4_096) + whole[at + 4_096 :])
        assert numbers(left_over(workspace, clock)) == [1, 2, 3]
        assert workspace.journal(1).read_bytes() == whole, "and the other is mended"
    headless = bytes(8_192) + whole[8_192:]
    workspace.journal(1).write_bytes(headless)
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
    assert journal.left_over() == []
    assert [one.code for one in journal.damage] == ["store.corrupt"]
    assert Path(str(journal.damage[0].params["path"])).read_bytes() == headless
    assert journal.keep(HERE, [arrival(4)])
    journal.close()
    assert numbers(left_over(workspace, clock)) == [4]


def test_the_journal_of_another_workspace_is_set_aside(workspace: Workspace, clock: FakeClock) -> None:
    content = kept_file(workspace, clock, 3)
    journal = ArrivalJournal(workspace, clock, "another", 0)
    assert journal.left_over() == []
    assert {one.code for one in journal.damage} == {"journal.foreign"}
    assert Path(str(journal.damage[0].params["path"])).read_bytes() == content
    journal.close()
    assert left_over(workspace, clock) == []


def test_whoever_lost_its_id_with_the_catalogue_takes_its_journal_over(workspace: Workspace, clock: FakeClock) -> None:
    kept_file(workspace, clock, 3)
    journal = ArrivalJournal(workspace, clock, "another", 0, adopts=True)
    assert numbers(journal.left_over()) == [1, 2, 3]
    assert journal.damage == []
    journal.close()
    journal = ArrivalJournal(workspace, clock, "another", 0)
    assert numbers(journal.left_over()) == [1, 2, 3], "and it is its own from then on"
    journal.close()


def test_damage_is_told_by_the_store(workspace: Workspace, clock: FakeClock) -> None:
    writer = StoreWriter(workspace, clock)
    for first in (0, 3, 6):
        assert keep(writer, numbered(writer, clock, first))
    kill(writer)
    content = bytearray(workspace.journal(1).read_bytes())
    content[content.index(SOURCE.client_id.encode()) + 40] ^= 1
    workspace.journal(1).write_bytes(content)
    writer = StoreWriter(workspace, clock)
    assert [one.code for one in writer.problems] == ["journal.damaged"]
    assert numbers(writer.journal.left_over()) == [2, 3]
    writer.close()


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_a_disk_that_fails_is_told_left_alone_for_a_while_and_used_again(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
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


def test_failures_are_counted_and_told_no_longer_than_they_may_matter(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal = ArrivalJournal(workspace, clock, OWNER, 0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fails)
        for _ in range(3):
            assert not journal.keep(HERE, [arrival(1)])
            clock.advance(RETRY_US)
    assert journal.problem is not None
    clock.advance(TOLD_US - RETRY_US)
    assert journal.problem is None, "nothing was to be kept any more"
    assert journal.keep(HERE, [arrival(1)])
    journal.close()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "3 failures" in said[1]


def test_a_slow_disk_is_told_while_it_is_waited_for_and_left_alone_for_a_while(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, took_us, seen = ArrivalJournal(workspace, clock, OWNER, 0), [SLOW_US - 1], list[int | None]()

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
    journal, hangs, goes_on = ArrivalJournal(workspace, clock, OWNER, 0), threading.Event(), threading.Event()

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
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
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

    monkeypatch.setattr(module, "TURN_BYTES", 8_300)
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
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


def test_what_a_failed_write_left_behind_what_took_its_place_does_not_come_up(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal = ArrivalJournal(workspace, clock, OWNER, 0)
    file = JournalFile(workspace.journal(1), OWNER, module.TURN_BYTES)
    file.add(HERE, [Arrival(1, 1_000, b"x" * 500)])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fails)
        before = file.end
        for number in (2, 3, 4):
            with pytest.raises(OSError, match="Input/output error"):
                file.add(HERE, [Arrival(number, 1_000, b"x" * 500)])
            file.end += 700
        file.end = before
    file.add(HERE, [Arrival(4, 1_000, b"y" * 20)])
    file.close()
    journal.close()
    assert numbers(left_over(workspace, clock)) == [1, 4]


def test_its_room_is_there_from_the_start_and_a_full_disk_is_no_reason_not_to_begin(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        ArrivalJournal(workspace, clock, OWNER, 0).close()
    assert [workspace.journal(n).stat().st_size for n in (1, 2)] == [0, 0]
    ArrivalJournal(workspace, clock, OWNER, 0).close()
    assert [workspace.journal(n).stat().st_size for n in (1, 2)] == [module.TURN_BYTES] * 2


def test_what_is_read_in_parts_is_read_whole_and_what_cannot_be_read_is_not_the_end(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.pread
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
    assert journal.keep(HERE, [arrival(1), arrival(2)])
    journal.close()
    monkeypatch.setattr(os, "pread", lambda handle, size, at: read(handle, min(size, 1_000), at))
    assert left_over(workspace, clock) == [(HERE, [arrival(1), arrival(2)])]
    monkeypatch.setattr(os, "pread", lambda handle, size, at: b"")
    with pytest.raises(OSError, match="Input/output error"):
        ArrivalJournal(workspace, clock, OWNER, 0)


def test_what_a_short_write_leaves_is_written_on(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite
    journal = ArrivalJournal(workspace, clock, OWNER, 0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda handle, data, at: write(handle, data[:7], at))
        assert journal.keep(HERE, [arrival(30), arrival(31)])
    journal.close()
    assert left_over(workspace, clock) == [(HERE, [arrival(30), arrival(31)])]
