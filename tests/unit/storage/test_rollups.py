"""Hour parts: what they say of samples, that they add up whatever way they are cut, and what they cost."""

import numpy as np
import pytest

from models.domain.names import SeriesKey, SeriesKind
from models.storage.keeping.hour_columns import (
    DAMAGED,
    HOUR_US,
    HourParts,
    bin_middle_s,
    decode,
    decode_some,
    encode,
    rows_of,
)
from models.storage.keeping.rollups import HourSums, SeriesTraits, drawn_at, merged, parts_of

T0 = 490_000 * HOUR_US
WEEK0 = T0 // (168 * HOUR_US) * 168 * HOUR_US
MINUTE = 60_000_000
GAUGE, COUNTER, DURATION = 1, 2, 3
TRAITS = SeriesTraits.of(
    [
        (GAUGE, SeriesKey(1, "load", "", "1", SeriesKind.GAUGE, "own")),
        (COUNTER, SeriesKey(1, "requests", "", "", SeriesKind.COUNTER, "own")),
        (DURATION, SeriesKey(1, "agent.request.duration", "", "ms", SeriesKind.GAUGE, "own")),
    ]
)


def part(series: int, at_us: list[int], value: list[float]) -> HourParts:
    ids = np.full(len(at_us), series, np.uint32)
    return parts_of(ids, np.array(at_us, np.int64), np.array(value, float), TRAITS)


def test_a_part_says_what_lay_in_its_hour() -> None:
    times = [T0 + MINUTE, T0 + 59 * MINUTE, T0 + 30 * MINUTE, T0 + HOUR_US]
    found = part(GAUGE, times, [3.0, 2.0, -1.5, 7.0])
    assert found.hour.tolist() == [490_000, 490_001]
    assert (found.n.tolist(), found.low.tolist(), found.high.tolist(), found.total.tolist()) == (
        [3, 1], [-1.5, 7.0], [3.0, 7.0], [3.5, 7.0],
    )  # fmt: skip
    assert (found.first.tolist(), found.first_ms.tolist()) == ([3.0, 7.0], [60_000, 0])
    assert (found.last.tolist(), found.last_ms.tolist()) == ([2.0, 7.0], [59 * 60_000, 0])
    assert found.resets.tolist() == [-1, -1]


def test_a_counter_rises_exactly_and_its_resets_are_counted() -> None:
    found = part(COUNTER, [T0 + n * MINUTE for n in range(5)], [10, 15, 3, 4, 1])
    assert (found.increase.tolist(), found.resets.tolist()) == ([5 + 3 + 1 + 1], [2])


def test_durations_have_a_histogram_in_seconds_and_nothing_else_has() -> None:
    found = merged([part(DURATION, [T0, T0 + 1, T0 + 2], [200, 200, 900]), part(GAUGE, [T0], [1.0])])
    assert found.bins.tolist() == [0, 2]
    assert found.bin_n.tolist() == [2, 1]
    assert bin_middle_s(found.bin) == pytest.approx([0.2, 0.9], rel=0.04)


@pytest.mark.parametrize("seed", range(20))
def test_parts_add_up_to_the_same_however_samples_are_cut(seed: int) -> None:
    chance = np.random.default_rng(seed)
    n = 400
    series = chance.integers(1, 4, n).astype(np.uint32)
    at_us = np.sort(chance.integers(T0, T0 + 3 * HOUR_US, n)) // 1_000 * 1_000
    value = np.where(series == COUNTER, np.cumsum(chance.integers(0, 9, n)) % 500, chance.integers(0, 900, n)) * 1.0
    whole = parts_of(series, at_us, value, TRAITS)
    cuts = np.sort(chance.integers(0, n, 12))
    sums = HourSums(TRAITS)
    slices = np.split(np.arange(n), cuts)
    for some in slices:
        sums.add(series[some], at_us[some], at_us[some], value[some])
    for one, other in zip(merged(list(sums.by_bucket())), whole, strict=True):
        assert one.tolist() == other.tolist()
    backwards = merged([parts_of(series[some], at_us[some], value[some], TRAITS) for some in reversed(slices)])
    for one, other in zip(backwards, whole, strict=True):
        assert one.tolist() == other.tolist(), "the order in which parts come does not matter"


def test_late_samples_of_a_counter_do_not_count_twice() -> None:
    whole = part(COUNTER, [T0 + n * MINUTE for n in range(10)], list(range(0, 100, 10)))
    late = part(COUNTER, [T0 + 3 * MINUTE, T0 + 5 * MINUTE], [30, 50])
    both = merged([late, whole])
    assert (both.n.tolist(), both.increase.tolist(), both.resets.tolist()) == ([12], [90.0], [0])
    further = part(COUNTER, [T0 + 8 * MINUTE, T0 + 12 * MINUTE], [80, 130])
    assert merged([both, further]).increase.tolist() == [130.0]


def test_samples_are_put_where_a_plot_draws_them() -> None:
    series = np.array([1, 1, 2, 2], np.uint32)
    received = np.array([T0, T0 + MINUTE, T0, T0 + MINUTE])
    wrong = received - 3 * HOUR_US
    assert drawn_at(series, np.where(series == 2, wrong, received + 1), received).tolist() == [
        T0 + 1, T0 + MINUTE + 1, T0, T0 + MINUTE,
    ]  # fmt: skip


def many_parts(kind: str, series: int = 32, hours: int = 24) -> HourParts:
    chance = np.random.default_rng(7)
    steps = {
        "walk": lambda: np.cumsum(chance.normal(size=3_600)) + 100,
        "sensor": lambda: np.round(chance.normal(20, 2, 3_600), 1),
        "count": lambda: np.cumsum(chance.integers(0, 20, 3_600)).astype(float),
        "duration": lambda: chance.lognormal(4, 0.5, 3_600),
    }[kind]
    which = {"count": COUNTER, "duration": DURATION}.get(kind, GAUGE)
    found = []
    for id_ in range(series):
        for hour in range(hours):
            at_us = WEEK0 + hour * HOUR_US + np.arange(3_600) * 1_000_000
            at_us += chance.integers(0, 900_000, 3_600)
            one = parts_of(np.full(3_600, which, np.uint32), at_us, steps(), TRAITS)
            found.append(one._replace(series=np.full(len(one.series), 64 + id_, np.uint32)))
    return merged(found)


@pytest.mark.parametrize(("kind", "most"), [("walk", 22), ("sensor", 11), ("count", 9)])
def test_an_hour_costs_a_few_bytes(kind: str, most: float) -> None:
    parts = many_parts(kind, 8)
    rows = rows_of(parts)
    size = sum(len(row.data) for row in rows) / len(parts.series)
    assert size <= most, f"{size:.1f} bytes for an hour of a series"
    back = merged([decode(row.data, row.bucket, row.week, row.parts) for row in rows])
    for name, one, other in zip(parts._fields, back, parts, strict=True):
        assert one.tolist() == pytest.approx(other.tolist(), rel=6e-8), name
    if kind != "walk":
        assert back.total.tolist() == parts.total.tolist(), "what compresses stays as it is"
    assert back.increase.tolist() == parts.increase.tolist()


def test_rows_hold_one_week_and_neighbouring_series() -> None:
    parts = merged(
        [
            part(GAUGE, [WEEK0 - 1, T0], [1.0, 2.0]),
            part(GAUGE, [T0], [3.0])._replace(series=np.array([32], np.uint32)),
        ]
    )
    rows = rows_of(parts)
    assert [(row.week, row.bucket, row.parts) for row in rows] == [(2_915, 0, 1), (2_916, 0, 1), (2_916, 1, 1)]
    for one, other in zip(
        merged([decode(row.data, row.bucket, row.week, row.parts) for row in rows]), parts, strict=True
    ):
        assert one.tolist() == other.tolist()


def test_some_series_are_read_without_the_others() -> None:
    parts = merged([part(GAUGE, [T0, T0 + 1], [5.5, 900]), part(COUNTER, [T0], [5]), part(DURATION, [T0], [1 / 3])])
    (row,) = rows_of(parts)
    for wanted in ([COUNTER], [GAUGE, DURATION], [7], [40]):
        some = decode_some(row.data, row.bucket, row.week, np.array(wanted, np.uint32))
        for one, other in zip(some, parts.pick(np.isin(parts.series, wanted)), strict=True):
            assert sorted(one.tolist()) == pytest.approx(sorted(other.tolist()), rel=6e-8)


def test_damaged_bytes_are_told_as_such() -> None:
    (row,) = rows_of(part(DURATION, [T0, T0 + 1], [5, 900]))
    for size in range(len(row.data)):
        with pytest.raises(DAMAGED):
            decode(row.data[:size], row.bucket, row.week, row.parts)
    chance = np.random.default_rng(3)
    for _ in range(300):
        data = bytearray(row.data)
        data[chance.integers(len(data))] ^= 1 << int(chance.integers(8))
        try:
            found = decode(bytes(data), row.bucket, row.week, row.parts)
        except DAMAGED:
            continue
        assert len(found.series) == len(found.bins) == row.parts
    assert len(decode(encode(part(GAUGE, [], []), 0, 0), 0, 0, 0).series) == 0
