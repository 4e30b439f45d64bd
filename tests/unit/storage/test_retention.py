"""What is kept of each kind, what stands when the samples are gone, and that nothing is half removed."""

import itertools
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from models.domain.clock import SystemClock
from models.domain.names import SeriesKind
from models.domain.queries import CancelToken, SeriesRequest, SeriesResult
from models.storage.engine import open_reader
from models.storage.history.reader import HistoryReader
from models.storage.keeping.hour_columns import HOUR_US, HourParts, rows_of
from models.storage.keeping.hour_store import lone_hours
from models.storage.keeping.pins import pinned
from models.storage.keeping.reserve import Reserve
from models.storage.keeping.retention import Retention, StoreLimits
from models.storage.keeping.rollups import SeriesTraits, parts_of
from models.storage.sealing.seal import seal
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreWriter
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.clock import FakeClock
from tests.helpers.store import batch_of, message, rows

SECOND = 1_000_000
EVER = (0, T0 + 1_000 * 24 * HOUR_US)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def writer(workspace: Workspace, clock: FakeClock) -> Iterator[StoreWriter]:
    """Ten segments of an hour each: a counter that rises by one every ten minutes, and a gauge."""
    made = StoreWriter(workspace, clock, StoreLimits(segment_s=3_600))
    made.begin_capture("mqtt://broker", "client")
    for number in range(60):
        at_us = clock.wall_us()
        one = [message(at_us, payload=b"%d" % number)]
        batch = batch_of(made.names, one, ["a"], [(0, "count", float(number))], series_kind=SeriesKind.COUNTER)
        made.commit(batch)
        made.commit(batch_of(made.names, one, ["a"], [(0, "load", float(number % 6))]))
        clock.advance(600 * SECOND)
        made.housekeep()
    yield made
    made.close()


def series(workspace: Workspace, metric: str) -> int:
    return int(rows(workspace, "catalogue", f"SELECT id FROM series WHERE metric = '{metric}'")[0][0])


def hours_of(workspace: Workspace, metric: str) -> HourParts:
    reader = open_reader(workspace.catalogue)
    try:
        return lone_hours(reader, [series(workspace, metric)], *EVER)
    finally:
        reader.close()


def held(workspace: Workspace) -> list[int]:
    query = "SELECT id FROM segment WHERE state <> 'removed' ORDER BY id"
    return [id_ for (id_,) in rows(workspace, "catalogue", query)]


def shrink(writer: StoreWriter, clock: FakeClock, **limits: int) -> None:
    writer.use_limits(StoreLimits(segment_s=3_600, **limits))
    for _ in range(20):
        clock.advance(SECOND)
        writer.housekeep()


def test_the_hours_of_what_is_removed_stand(workspace: Workspace, writer: StoreWriter, clock: FakeClock) -> None:
    assert len(hours_of(workspace, "load").series) == 0, "samples speak for themselves"
    shrink(writer, clock, retention_s=5 * 3_600)
    gone = 60 - 6 * len(held(workspace))
    assert gone >= 24
    load, count = hours_of(workspace, "load"), hours_of(workspace, "count")
    assert int(load.n.sum()) == int(count.n.sum()) == gone
    assert (load.low.min(), load.high.max()) == (0, 5)
    assert load.total.sum() == gone / 6 * sum(range(6))
    assert (count.first[0], count.last[-1]) == (0, gone - 1)
    inner = count.increase.sum()
    between = (count.first[1:] - count.last[:-1]).sum()
    assert inner + between == gone - 1, "no rise is lost and none invented"


def test_a_plot_is_answered_by_the_hour_where_samples_are_gone(
    workspace: Workspace, writer: StoreWriter, clock: FakeClock
) -> None:
    shrink(writer, clock, retention_s=5 * 3_600)
    held_from = 60 - 6 * len(held(workspace))
    reader = HistoryReader(workspace, clock)
    ids = (series(workspace, "count"), series(workspace, "load"))
    *_, result = reader.answer(SeriesRequest(ids, *EVER), CancelToken())
    reader.close()
    assert isinstance(result, SeriesResult)
    count, load = result.hours
    assert (count.series, load.series) == ids
    assert [len(columns.value) for columns in result.columns] == [60 - held_from] * 2, "samples are samples"
    assert int(load.n.sum()) == held_from
    assert load.mean == pytest.approx(load.low + 2.5, abs=2.5)
    assert count.increase.sum() == held_from - 1
    assert np.isnan(load.quantiles).all()
    assert load.since_us[-1] <= result.columns[0].time_us[0]


def seal_all(writer: StoreWriter, workspace: Workspace) -> list[int]:
    waiting = writer.sealing.waiting()
    for id_ in waiting:
        seal(workspace.segment(id_), workspace.sealing(id_))
        writer.sealing.swap_in(id_)
    return waiting


def test_sealing_brings_the_hours_in_and_removal_lets_them_stand(
    workspace: Workspace, writer: StoreWriter, clock: FakeClock
) -> None:
    sealed = seal_all(writer, workspace)
    known = rows(workspace, "catalogue", "SELECT DISTINCT segment_id FROM hours ORDER BY 1")
    assert known == [(id_,) for id_ in sealed]
    assert len(hours_of(workspace, "load").series) == 0, "samples speak for themselves"
    shrink(writer, clock, retention_bytes=1)
    assert held(workspace) == []
    assert int(hours_of(workspace, "load").n.sum()) == 60


def test_a_lost_catalogue_gets_the_hours_of_sealed_segments_back(
    workspace: Workspace, writer: StoreWriter, clock: FakeClock
) -> None:
    sealed = seal_all(writer, workspace)
    before = rows(workspace, "catalogue", "SELECT segment_id, week, bucket, parts, data FROM hours ORDER BY id")
    writer.close()
    for ending in ("", "-wal", "-shm"):
        Path(f"{workspace.catalogue}{ending}").unlink(missing_ok=True)
    StoreWriter(workspace, clock).close()
    query = (
        f"SELECT segment_id, week, bucket, parts, data FROM hours WHERE segment_id <= {max(sealed)} ORDER BY segment_id"
    )
    assert rows(workspace, "catalogue", query) == before


def test_joined_rows_say_the_same_as_many(workspace: Workspace, writer: StoreWriter, clock: FakeClock) -> None:
    shrink(writer, clock, retention_bytes=1)
    found = rows(
        workspace, "catalogue", "SELECT week, count(*), sum(parts) FROM hours WHERE segment_id = 0 GROUP BY week"
    )
    assert all(n < 8 for _, n, _ in found), "scattered rows are joined"
    assert int(hours_of(workspace, "count").n.sum()) == 60
    assert rows(workspace, "catalogue", "SELECT count(*) FROM hours WHERE bytes <> length(data)") == [(0,)]


def test_joining_leaves_live_traffic_its_turn(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    StoreWriter(workspace, FakeClock()).close()
    catalogue = apsw.Connection(str(workspace.catalogue))
    retention = Retention(workspace, catalogue, StoreLimits())
    parts = parts_of(
        np.zeros(1, np.uint32), np.zeros(1, np.int64), np.ones(1), SeriesTraits(np.zeros(1, bool), np.zeros(1))
    )
    (row,) = rows_of(parts)
    for week in range(5):
        retention.hours.take(0, [row._replace(week=week)] * 8)
    count = "SELECT count(*) FROM hours"
    with monkeypatch.context() as slow:
        ticks = itertools.count(1_000)
        slow.setattr(time, "monotonic", lambda: float(next(ticks)))  # a disk so slow that every look takes a second
        before = catalogue.execute(count).fetchall()
        retention.run(0, 0)
        assert catalogue.execute(count).fetchall() == before
    for _ in range(50):
        retention.run(0, 0)
    assert catalogue.execute(count).fetchall() == [(5,)]
    catalogue.close()


def test_roll_ups_go_by_limits_of_their_own(workspace: Workspace, writer: StoreWriter, clock: FakeClock) -> None:
    shrink(writer, clock, retention_bytes=1)
    assert len(hours_of(workspace, "load").series)
    shrink(writer, clock, retention_bytes=1, hours_s=3 * 86_400)
    assert len(hours_of(workspace, "load").series), "younger than that"
    clock.advance(15 * 24 * HOUR_US)
    shrink(writer, clock, retention_bytes=1, hours_s=3 * 86_400)
    assert not len(hours_of(workspace, "load").series)


def test_roll_ups_go_by_size_whole_weeks_first(workspace: Workspace, writer: StoreWriter, clock: FakeClock) -> None:
    shrink(writer, clock, retention_bytes=1)
    weeks = rows(workspace, "catalogue", "SELECT DISTINCT week FROM hours")
    shrink(writer, clock, retention_bytes=1, hours_bytes=0)
    assert rows(workspace, "catalogue", "SELECT count(*) FROM hours") == [(0,)]
    assert weeks


def test_what_somebody_reads_from_first_to_last_is_not_removed(
    workspace: Workspace, writer: StoreWriter, clock: FakeClock
) -> None:
    before = held(workspace)
    with pinned(workspace, lambda: before[:2]):
        shrink(writer, clock, retention_bytes=1)
        assert held(workspace) == before, "newer history does not go before older"
    with pinned(workspace, lambda: before[3:4]):
        shrink(writer, clock, retention_bytes=1)
        assert held(workspace) == before[3:]
    shrink(writer, clock, retention_bytes=1)
    assert held(workspace) == []


def test_the_pins_of_a_killed_reader_are_gone(workspace: Workspace, writer: StoreWriter, clock: FakeClock) -> None:
    script = """if True:
        import sys
        from models.storage.keeping.pins import pinned
        from models.storage.workspace import Workspace
        with pinned(Workspace.at(sys.argv[1]), lambda: [1]):
            print("pinned", flush=True)
            sys.stdin.read()
        """
    command = [sys.executable, "-c", script, str(workspace.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"pinned\n"
        shrink(writer, clock, retention_bytes=1)
        assert held(workspace)[0] == 1
        child.send_signal(signal.SIGKILL)
    shrink(writer, clock, retention_bytes=1)
    assert held(workspace) == []


def test_a_pinned_segment_that_goes_meanwhile_is_asked_for_again(workspace: Workspace, writer: StoreWriter) -> None:
    asked = []

    def wanted() -> list[int]:
        asked.append(True)
        return [1, 2] if len(asked) == 1 else [2, 3]

    with pinned(workspace, wanted):
        assert len(asked) == 3


def test_a_damaged_segment_goes_all_the_same(workspace: Workspace, writer: StoreWriter, clock: FakeClock) -> None:
    first = workspace.segment(1)
    first.write_bytes(b"\0" * first.stat().st_size)
    shrink(writer, clock, retention_bytes=1)
    assert held(workspace) == []
    assert int(hours_of(workspace, "load").n.sum()) == 54


CHILD = """
import os, random, signal, sys
from models.domain.clock import SystemClock
from models.domain.names import SeriesKind
from models.domain.queries import CancelToken, SeriesRequest, SeriesResult
from models.storage.keeping import retention
from models.storage.workspace import Workspace
from models.storage.writing.writer import StoreLimits, StoreWriter
from tests.helpers.store import batch_of, message

class Clock(SystemClock):
    def wall_us(self):
        return super().wall_us() + ahead
    def monotonic_us(self):
        return super().monotonic_us() + ahead

ahead, number = int(sys.argv[3]), int(sys.argv[2])
writer = StoreWriter(Workspace.at(sys.argv[1]), Clock(), StoreLimits(segment_s=600, retention_bytes=600_000))
writer.begin_capture("mqtt://broker", "client")
print("ready", flush=True)
while True:
    one = [message(writer._clock.wall_us(), payload=b"%d" % number + b"." * 3_000)]
    writer.commit(batch_of(writer.names, one, ["a"], [(0, "count", float(number))], series_kind=SeriesKind.COUNTER))
    print(number, ahead, flush=True)
    number += 1
    ahead += 120_000_000
    writer.housekeep()
"""


def check_kills(workspace: Workspace, kills: int) -> None:
    """A recorder whose clock runs fast, so that hours end and segments go all the time, killed at any moment."""
    chance = random.Random(20261127)
    number = ahead = 0
    for _ in range(kills):
        command = [sys.executable, "-c", CHILD, str(workspace.root), str(number), str(ahead)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            told = [child.stdout.readline() for _ in range(chance.randrange(1, 60))]
            for _ in range(chance.randrange(0, 200_000)):
                pass  # some microseconds to milliseconds further on
            child.kill()
            told += child.stdout.readlines()
        number, ahead = _after(workspace, told, number, ahead)
        _check_whole(workspace, number)


def _after(workspace: Workspace, told: list[str], number: int, ahead: int) -> tuple[int, int]:
    """Where to go on: behind everything that is stored."""
    writer = StoreWriter(workspace, SystemClock(), StoreLimits(retention_bytes=1 << 40))
    assert writer.problems == []
    writer.close()
    count = hours_of(workspace, "count")
    stored = [int(count.last[-1])] if len(count.series) else []
    for id_ in held(workspace):
        (newest,) = rows(workspace, id_, "SELECT payload FROM message ORDER BY seq DESC LIMIT 1")[0]
        stored.append(int(newest.rstrip(b".")))
    whole = [line.split() for line in told if line.endswith("\n")]
    last = max([ahead, *(int(line[1]) for line in whole)]) + 240_000_000
    return max(stored, default=number - 1) + 1, last


def _check_whole(workspace: Workspace, number: int) -> None:
    """Every number is either held or counted in the hours, once."""
    kept = []
    for id_ in held(workspace):
        kept += [int(bytes(data).rstrip(b".")) for (data,) in rows(workspace, id_, "SELECT payload FROM message")]
    gone = min(kept, default=number)  # a catalogue larger than the limit leaves nothing
    assert sorted(kept) == list(range(gone, number)), "what is held is whole"
    count = hours_of(workspace, "count")
    assert int(count.n.sum()) == gone, "of what is gone every sample is summed up once"
    if gone:
        assert (count.first[0], count.last[-1]) == (0, gone - 1)
        rise = count.increase.sum() + (count.first[1:] - count.last[:-1]).sum()
        assert (rise, int(count.resets.sum())) == (gone - 1, 0)
    files = {int(path.stem) for path in workspace.segments.glob("*.db")}
    assert files == set(held(workspace)), "no file is left, none is missing"
    gaps = rows(workspace, "catalogue", "SELECT segment_id, count FROM gap WHERE cause = 'retention'")
    removed = rows(workspace, "catalogue", "SELECT id, messages FROM segment WHERE state = 'removed'")
    assert sorted(gaps) == sorted(removed)


def test_ten_kills_while_history_is_removed(tmp_path: Path) -> None:
    check_kills(Workspace.at(tmp_path / "ws"), 10)


@pytest.mark.long
def test_two_hundred_kills_while_history_is_removed(tmp_path: Path) -> None:
    check_kills(Workspace.at(tmp_path / "ws"), 200)


def test_what_is_removed_while_a_reader_keeps_it_from_settling_stops_nothing(
    workspace: Workspace, writer: StoreWriter, clock: FakeClock
) -> None:
    writer.commit(batch_of(writer.names, [message(clock.wall_us())], ["a"]))
    reader = open_reader(
        workspace.segment(writer.newest_segment)
    )  # it was being written, and somebody looks at it since
    reader.execute("SELECT count(*) FROM batch").fetchall()
    writer.begin_capture("mqtt://broker", "client")
    writer.housekeep()
    shrink(writer, clock, retention_bytes=1)  # raises nothing
    assert held(workspace) == []
    reader.close()
    shrink(writer, clock, retention_bytes=1)
    assert list(workspace.segments.iterdir()) == []


def test_a_reserve_of_which_only_the_name_was_made_is_made_anew(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve")
    (tmp_path / "reserve").touch()  # killed between its making and its filling
    reserve.keep(1_000_000)
    assert (tmp_path / "reserve").stat().st_size == 1_000_000
