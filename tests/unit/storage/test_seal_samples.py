"""Samples written anew as chunks are the samples of layout 1: bit by bit, in the same order, with the same times."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import apsw
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.domain.batch import RecordBatch
from models.storage.engine import open_database
from models.storage.sealing import chunk_writer, sample_chunks, sample_order, sample_pages, stamp_writer
from models.storage.sealing.number_column import pack
from models.storage.sealing.sample_chunks import write_samples
from models.storage.sealing.sample_order import Ordered, read_in_order
from models.storage.sealing.sample_reading import read_series
from models.storage.sealing.sample_steps import SampleSteps
from models.storage.segments import sample_columns
from models.storage.segments.schema import create_tables
from models.storage.store_errors import DamagedError
from tests.helpers.history_builder import raw

EVER = 1 << 62
INT64 = st.integers(-(1 << 63), (1 << 63) - 2)  # no range ends behind the last of all


class Stamp(NamedTuple):
    """One message, or a part of one: its row in the batch, its time, and what it held."""

    row: int
    time_us: int
    received_us: int
    samples: list[tuple[int, float]]


class Row(NamedTuple):
    batch: int
    seq: int
    time_us: int
    received_us: int
    series: int
    bits: int


def bits(value: float) -> int:
    return int(np.array(value).view(np.int64))


class Files:
    """A segment of layout 1 in memory, and its samples written anew."""

    def __init__(self) -> None:
        database = open_database(Path(":memory:"), create=True)
        create_tables(database)
        self._database = database
        self.source: apsw.Connection = database.connection()
        self.target = apsw.Connection(":memory:")
        self.batches = 0
        self.seq = 1

    def add(self, stamps: Sequence[Stamp]) -> None:
        batch = RecordBatch(messages=[raw(at_us=one.received_us) for one in stamps])
        for place, one in enumerate(stamps):
            batch.add_samples(place, one.time_us, [id_ for id_, _ in one.samples], [value for _, value in one.samples])
        self.put(sample_columns.encode(batch), len(stamps))

    def put(self, data: bytes | None, n: int) -> None:
        self.batches += 1
        sql = f"INSERT INTO batch VALUES ({','.join('?' * 15)})"
        self.source.execute(sql, (self.batches, 0, 0, 0, self.seq, n, 0, 0, 0, 0, 0, 0, None, None, data))
        self.seq += n

    def seal(self) -> None:
        write_samples(self.source, self.target)

    def close(self) -> None:
        self.target.close()
        self._database.close()


@pytest.fixture
def files() -> Iterator[Files]:
    made = Files()
    yield made
    made.close()


def stored(source: apsw.Connection) -> list[Row]:
    """All samples in the order of layout 1: by batch, message, series."""
    found = []
    for id_, first_seq, data in source.execute(
        "SELECT id, first_seq, samples FROM batch WHERE samples IS NOT NULL ORDER BY id"
    ):
        samples = sample_columns.decode(data)
        order = np.argsort(samples.stamp, kind="stable")
        for at in order.tolist():
            stamp = samples.stamp[at]
            found.append(
                Row(id_, first_seq + int(samples.seq_offset[stamp]), int(samples.time_us[stamp]),
                    int(samples.received_us[stamp]), int(samples.series[at]), bits(samples.value[at]))
            )  # fmt: skip
    return found


def fail(error: Exception) -> None:
    raise error


def in_order(
    target: apsw.Connection,
    since_us: int = -EVER * 2,
    until_us: int = EVER * 2 - 1,
    wanted: set[int] | None = None,
    batches: tuple[int, int] = (0, EVER),
) -> list[Row]:
    """All samples as they are read for export."""
    return rows_of(read_in_order(target, since_us, until_us, batches, wanted, fail))


def rows_of(parts: Iterable[Ordered]) -> list[Row]:
    found = []
    for part in parts:
        for stamp, series, value in zip(part.stamp.tolist(), part.series.tolist(), part.value, strict=True):
            found.append(Row(int(part.batch[stamp]), int(part.seq[stamp]), int(part.time_us[stamp]),
                             int(part.received_us[stamp]), series, bits(value)))  # fmt: skip
    return found


def of_series(
    target: apsw.Connection, wanted: Sequence[int], since_us: int = -EVER * 2, until_us: int = EVER * 2 - 1,
    damaged: Callable[[Exception], None] = fail,
) -> dict[int, list[tuple[int, int, int]]]:  # fmt: skip
    """Time, arrival and bits of the samples of each series, oldest first."""
    parts = list(read_series(target, wanted, since_us, until_us, damaged))
    found: dict[int, list[tuple[int, int, int]]] = {series: [] for series in wanted}
    for one in reversed(parts):
        found[one.series] += zip(one.time_us.tolist(), one.received_us.tolist(), map(bits, one.value), strict=True)
    return found


def expected(
    rows: Sequence[Row], wanted: Sequence[int], since_us: int, until_us: int
) -> dict[int, list[tuple[int, int, int]]]:
    found: dict[int, list[tuple[int, int, int]]] = {series: [] for series in wanted}
    for row in rows:
        if row.series in found and since_us <= row.received_us < until_us:
            found[row.series].append((row.time_us, row.received_us, row.bits))
    return found


times = st.one_of(st.integers(0, 30), st.integers(1_700_000_000_000_000, 1_700_000_000_900_000), INT64)
values = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.0, -0.0, 5e-324, 2.0**53 + 2, 1.0]),
    st.integers(0, 9).map(float), st.integers(0, 900).map(lambda n: n / 100),
)  # fmt: skip
series_ids = st.one_of(st.integers(1, 12), st.sampled_from([77, 70_000, 2**32 - 1]))
stamps = st.builds(
    lambda time_us, received_us, samples: Stamp(0, time_us, received_us, samples),
    times, times, st.lists(st.tuples(series_ids, values), max_size=8),
)  # fmt: skip
regular = st.builds(  # a fleet: every agent sends the same series, some of them not always
    lambda agents, turns, gaps, value: [
        Stamp(0, turn * 1_000_000 + agent, turn * 1_000_000 + agent + 5,
              [(agent * 4 + k + 1, value + turn) for k in range(4) if (agent, turn, k) not in gaps])
        for turn in range(turns) for agent in range(agents)
    ],
    st.integers(1, 4), st.integers(1, 12), st.sets(st.tuples(st.integers(0, 3), st.integers(0, 11), st.integers(0, 3))),
    values,
)  # fmt: skip
histories = st.one_of(
    st.lists(st.lists(stamps, max_size=6), max_size=8),
    regular.map(lambda all_: [all_[at : at + 3] for at in range(0, len(all_), 3)]),
)


@settings(
    max_examples=80,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories, since=times, until=times, small=st.booleans())
def test_samples_are_the_same_in_the_same_order(
    history: list[list[Stamp]], since: int, until: int, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        if small:  # everything is cut
            for module, name, size in (
                (chunk_writer, "CHUNK_ROWS", 5), (chunk_writer, "CHUNK_SAMPLES", 9), (chunk_writer, "COLUMN_VALUES", 3),
                (sample_chunks, "SHARD_SAMPLES", 7), (sample_chunks, "KEPT_SAMPLES", 10), (sample_pages, "PAGE_BYTES", 50),
                (stamp_writer, "STAMPS", 4), (stamp_writer, "STAMP_SAMPLES", 6), (sample_order, "WINDOW_SAMPLES", 5),
                (sample_pages, "SMALL_BYTES", 100),
            ):  # fmt: skip
                patch.setattr(module, name, size)
        files = Files()
        for batch in history:
            files.add(batch)
        files.seal()
        rows = stored(files.source)
        assert in_order(files.target) == rows
        wanted = sorted({row.series for row in rows} | {5})
        assert of_series(files.target, wanted) == expected(rows, wanted, -EVER * 2, EVER * 2)
        assert of_series(files.target, wanted[::2], since, until) == expected(rows, wanted[::2], since, until)
        inside = [row for row in rows if since <= row.received_us < until and row.series in wanted[1::2]]
        assert in_order(files.target, since, until, set(wanted[1::2])) == inside
        later = [row for row in rows if row.batch > 2]
        assert in_order(files.target, batches=(3, EVER)) == later
        steps = SampleSteps(files.target, 1, wanted, fail)
        for first in range(1, 10, 2):
            some = [row for row in rows if first <= row.batch < first + 2 and -EVER <= row.received_us < EVER]
            assert rows_of(steps.of(first, first + 2)) == some
            assert rows_of(steps.of(first, first + 2)) == some
        files.close()


def test_a_hundred_thousand_series_of_one_sample_share_columns(files: Files) -> None:
    for first in range(0, 100_000, 1_000):
        files.add([Stamp(0, first + at, first + at + 2, [(first + at + 1, at / 4)]) for at in range(1_000)])
    files.seal()
    (columns,) = files.target.execute("SELECT count(*) FROM sample_column").fetchall()
    assert columns[0] < 20
    assert of_series(files.target, [77_778]) == {77_778: [(77_777, 77_779, bits(777 / 4))]}
    assert in_order(files.target) == stored(files.source)


def test_one_series_of_many_points_is_read_by_its_range_only(files: Files) -> None:
    for first in range(0, 100_000, 5_000):
        files.add([Stamp(0, at * 1_000, at * 1_000, [(1, at * 0.01), (2, 1.0)]) for at in range(first, first + 5_000)])
    files.seal()
    files.target.execute("UPDATE sample_chunk SET time = x'00' WHERE first_us > 50000000")
    found = of_series(files.target, [1], 10_000_000, 20_000_000)[1]
    assert [time for time, _, _ in found] == list(range(10_000_000, 20_000_000, 1_000))


def test_a_message_of_very_many_series(files: Files) -> None:
    every = [(series, float(series)) for series in range(1, 5_001)]
    files.add([Stamp(0, at, at + 1, every if at != 3 else every[:7]) for at in range(6)])
    files.seal()
    assert in_order(files.target) == stored(files.source)


DAMAGES: dict[str, str] = {
    "a flipped bit": "UPDATE sample_column SET value = flipped(value) WHERE id = (SELECT min(id) FROM sample_column)",
    "an empty column": "UPDATE sample_column SET value = x'' WHERE id = (SELECT min(id) FROM sample_column)",
    "text for a column": "UPDATE sample_column SET value = 'a' WHERE id = (SELECT min(id) FROM sample_column)",
    "a missing column": "DELETE FROM sample_column WHERE id = (SELECT min(id) FROM sample_column)",
    "too long a column": "UPDATE sample_column SET n = 1 << 60 WHERE id = (SELECT min(id) FROM sample_column)",
    "times of another chunk": "UPDATE sample_chunk SET time = (SELECT time FROM sample_chunk WHERE id = 2), n_rows = 4 WHERE id = 1",
    "no rows": "UPDATE sample_chunk SET n_rows = -1 WHERE id = 1",
    "a hostile column": "UPDATE sample_column SET value = hostile() WHERE id = (SELECT min(id) FROM sample_column)",
    "an entry outside": "UPDATE sample_series SET at = 1 << 40 WHERE chunk = 1",
    "an entry before": "UPDATE sample_series SET first_row = -1 WHERE chunk = 1",
    "rows outside": "UPDATE sample_series SET first_row = 1 << 50 WHERE chunk = 1",
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_chunk_is_told_and_costs_only_itself(
    files: Files, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_writer, "CHUNK_ROWS", 10)
    for at in range(30):
        files.add([Stamp(0, at, at, [(1, at / 8), (2, 1.0)])])
    files.seal()
    packed = pack(np.arange(10) / 8)[:-4]
    hostile = packed[:6] + b"\xff" * 4 + packed[10:]
    files.target.create_scalar_function("flipped", lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    files.target.create_scalar_function("hostile", lambda: hostile + zlib.crc32(hostile).to_bytes(4, "little"))
    files.target.execute(DAMAGES[damage])
    told: list[Exception] = []
    found = of_series(files.target, [1], damaged=told.append)[1]
    assert [time for time, _, _ in found] == list(range(10, 30))
    assert len(told) == 1
    told.clear()
    rest = [
        int(part.time_us[at])
        for part in read_in_order(files.target, 0, EVER, (0, EVER), {1}, told.append)
        for at in part.stamp
    ]
    assert rest == list(range(10, 30))
    assert len(told) == 1


def test_what_cannot_be_read_whole_is_not_written_anew(files: Files) -> None:
    files.add([Stamp(0, 1, 2, [(1, 1.0), (2, 2.0)])])
    (good,) = files.source.execute("SELECT samples FROM batch").fetchall()
    for bad in (
        good[0][:-1],
        good[0][:-4],
        good[0][:-4] + b"\x09\0\0\0",
        good[0][:-16] + b"\x09\0\0\0" + good[0][-12:],
        b"",
    ):
        files.source.execute("UPDATE batch SET samples = ?", (bad,))
        with pytest.raises(DamagedError):
            write_samples(files.source, apsw.Connection(":memory:"))
