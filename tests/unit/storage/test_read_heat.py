"""One figure of all agents, step by step: the same as a plain look at every sample, or at what pulses and hours sum up."""

import math
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from models.domain.heat_queries import HeatRequest, HeatResult, HeatRow
from models.domain.layouts.layout import Shown
from models.domain.names import SeriesKind
from models.domain.pulse_figures import PULSE_US
from models.domain.queries import Cancelled, CancelToken
from models.storage.history.reader import HistoryReader
from models.storage.keeping.hour_columns import HOUR_US, rows_of
from models.storage.keeping.hour_store import HourStore
from models.storage.keeping.rollups import SeriesTraits, parts_of
from models.storage.segments.pulse_columns import response_bin
from tests.helpers.clock import FIRST_WALL_US
from tests.helpers.history_builder import HistoryBuilder, raw

S = 1_000_000
STEP = 10 * S
MINUTE = 60 * S
T0 = FIRST_WALL_US // HOUR_US * HOUR_US


def ask(
    reader: HistoryReader, rows: list[HeatRow], shown: Shown, steps: int, figure: str = "", step_us: int = STEP
) -> HeatResult:
    request = HeatRequest(tuple(rows), figure, shown, T0 + 1, T0 + steps * step_us, step_us)
    result = list(reader.answer(request, CancelToken()))[-1]
    assert isinstance(result, HeatResult)
    assert result.complete
    assert result.value.shape == (len(rows), steps)
    return result


def written(build: HistoryBuilder, kind: SeriesKind) -> dict[int, list[tuple[int, float]]]:
    """Samples of five agents in three segments, with silences; a counter begins again now and then."""
    chance = np.random.default_rng(3)
    agents = [build.agent(f"a{number}") for number in range(5)]
    series = {agent: build.series(agent, "m", kind=kind) for agent in agents}
    samples: dict[int, list[tuple[int, float]]] = defaultdict(list)
    counts = dict.fromkeys(agents, 0.0)
    at_us = T0
    for _ in range(3):
        segment = build.segment()
        for _ in range(40):
            batch = build.messages([raw(at_us=at_us + n) for n in range(len(agents))])
            for n, agent in enumerate(agents):
                batch.agent[n] = agent
                if chance.random() < 0.3:
                    continue
                counts[agent] = 0.0 if chance.random() < 0.03 else counts[agent] + chance.integers(0, 9)
                value = counts[agent] if kind is SeriesKind.COUNTER else float(chance.normal(50, 10))
                batch.add_samples(n, at_us + n, [series[agent]], [value])
                samples[series[agent]].append((at_us + n, value))
            segment.write(batch)
            at_us += int(chance.integers(1, 6)) * S + int(chance.random() < 0.1) * 3 * STEP
        segment.close()
    return samples


def cells(samples: list[tuple[int, float]], steps: int) -> list[list[float]]:
    found: list[list[float]] = [[] for _ in range(steps)]
    for at_us, value in samples:
        if (step := (at_us - T0) // STEP) < steps:
            found[step].append(value)
    return found


def told(result: HeatResult) -> list[list[float]]:
    return [[pytest.approx(one, rel=1e-5, nan_ok=True) for one in row] for row in result.value.tolist()]


STEPS = 40


@pytest.fixture
def rows() -> list[HeatRow]:
    return [HeatRow(agent, agent) for agent in (3, 1, 5, 2, 4)]


def test_a_mean_is_of_every_sample_of_its_step_and_nothing_is_missing_not_zero(
    build: HistoryBuilder, reader: HistoryReader, rows: list[HeatRow]
) -> None:
    samples = written(build, SeriesKind.GAUGE)
    expected = [
        [math.fsum(cell) / len(cell) if cell else math.nan for cell in cells(samples[row.series], STEPS)]
        for row in rows
    ]
    found = ask(reader, rows, Shown.VALUE, STEPS)
    assert told(found) == expected
    assert np.isnan(found.value).any()
    assert not found.summed_up
    scaled = ask(reader, [row._replace(factor=-0.01, offset=1.0) for row in rows], Shown.VALUE, STEPS)
    assert told(scaled) == [[1 - value / 100 for value in row] for row in expected]


def test_a_quantile_is_a_sample_of_its_step(build: HistoryBuilder, reader: HistoryReader, rows: list[HeatRow]) -> None:
    samples = written(build, SeriesKind.GAUGE)
    found = ask(reader, rows, Shown.P95, STEPS)
    every = [[sorted(cell) for cell in cells(samples[row.series], STEPS)] for row in rows]
    assert told(found) == [
        [cell[math.ceil(0.95 * len(cell)) - 1] if cell else math.nan for cell in row] for row in every
    ]
    assert found.n.tolist() == [[len(cell) for cell in row] for row in every]


def test_a_rate_is_what_a_counter_rose_over_the_time_that_it_took(
    build: HistoryBuilder, reader: HistoryReader, rows: list[HeatRow]
) -> None:
    samples = written(build, SeriesKind.COUNTER)
    found = ask(reader, rows, Shown.RATE, STEPS)
    for row, values in zip(rows, told(found), strict=True):
        rise, took = [0.0] * STEPS, [0.0] * STEPS
        own = samples[row.series]
        for (before_us, before), (at_us, value) in pairwise(own):
            if (step := (at_us - T0) // STEP) < STEPS:
                rise[step] += value if value < before else value - before
                took[step] += (at_us - before_us) / S
        assert values == [a / b if b else math.nan for a, b in zip(rise, took, strict=True)]


def test_pages_of_few_samples_tell_the_same(
    build: HistoryBuilder, reader: HistoryReader, rows: list[HeatRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    written(build, SeriesKind.COUNTER)
    whole = ask(reader, rows, Shown.RATE, STEPS)
    monkeypatch.setattr("models.storage.history.heat._PART_SAMPLES", 7)
    monkeypatch.setattr("models.storage.history.heat.FIRST_PAGE_S", 0.0)
    request = whole.request
    pages = [one for one in reader.answer(request, CancelToken()) if isinstance(one, HeatResult)]
    assert len(pages) > 1
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
    assert told(pages[-1]) == whole.value.tolist()


def test_an_agent_without_such_a_series_and_nobody(build: HistoryBuilder, reader: HistoryReader) -> None:
    written(build, SeriesKind.GAUGE)
    assert np.isnan(ask(reader, [HeatRow(9, 77)], Shown.VALUE, 3).value).all()
    assert ask(reader, [], Shown.VALUE, 3).value.shape == (0, 3)
    with pytest.raises(Cancelled):
        list(
            reader.answer(
                HeatRequest((HeatRow(1, 1),), "", Shown.VALUE, T0, T0 + MINUTE, STEP), CancelToken(cancelled=True)
            )
        )


# ---------------------------------------------------------------- pulses


def pulsed(build: HistoryBuilder) -> tuple[int, int]:
    a, b = build.agent("a"), build.agent("b")
    first = build.segment()
    first.write(build.messages([raw(at_us=T0), raw(at_us=T0 + 2 * MINUTE)], a))
    slow, quick = (int(response_bin(np.array([one]))[0]) for one in (2.0, 0.01))
    first.pulse(
        T0,
        [
            {"agent": a, "messages": 5, "finished": 4, "failed": 1, "cpu": 0.2, "attempts": 0},
            {"agent": b, "messages": 20},
        ],
        [(a, quick, 18), (a, slow, 1)],
    )
    first.pulse(T0 + PULSE_US, [{"agent": a, "messages": 5, "cpu": 0.6, "attempts": 2}], [(a, slow, 1)])
    first.close()
    second = build.segment()
    second.write(build.messages([raw(at_us=T0 + MINUTE), raw(at_us=T0 + 3 * MINUTE)], a))
    second.pulse(T0 + PULSE_US, [{"agent": a, "messages": 10, "cpu": 0.4}])  # the other half of that pulse
    second.pulse(T0 + 2 * MINUTE, [{"agent": b, "messages": 1}])
    second.close()
    return a, b


def test_what_is_counted_of_everybody_is_a_rate_over_the_pulses_that_are_known(
    build: HistoryBuilder, reader: HistoryReader
) -> None:
    a, b = pulsed(build)
    found = ask(reader, [HeatRow(b), HeatRow(a)], Shown.VALUE, 3, "messages", MINUTE)
    assert found.summed_up
    assert told(found) == [[1.0, math.nan, 0.1], [1.0, math.nan, 0.0]]
    ratio = ask(reader, [HeatRow(a), HeatRow(b)], Shown.VALUE, 3, "error_ratio", MINUTE)
    assert told(ratio) == [[0.25, math.nan, math.nan], [math.nan] * 3]


def test_roles_come_from_pulses_where_a_step_holds_several(build: HistoryBuilder, reader: HistoryReader) -> None:
    a, b = pulsed(build)
    rows = [HeatRow(a, 1, factor=0.01), HeatRow(b, 2)]  # pulses are in the unit that is drawn already
    assert told(ask(reader, rows, Shown.VALUE, 3, "cpu", MINUTE)) == [[0.4, math.nan, math.nan], [math.nan] * 3]
    assert told(ask(reader, rows, Shown.RATE, 3, "attempts", MINUTE)) == [
        [0.1, math.nan, math.nan],
        [0.0, math.nan, 0.0],
    ]
    response = ask(reader, rows, Shown.P95, 3, "response", MINUTE)
    assert response.value[0, 0] == pytest.approx(2.0, rel=0.03)
    assert response.n.tolist() == [[20, 0, 0], [0, 0, 0]]
    assert not ask(reader, rows, Shown.VALUE, 3, "cpu", STEP).summed_up


# ---------------------------------------------------------------- hours


def hours(build: HistoryBuilder, series: int, at_us: list[int], value: list[float]) -> None:
    key = build.names.series[series]
    traits = SeriesTraits.of([(series, key)])
    parts = parts_of(np.full(len(at_us), series, np.uint32), np.array(at_us), np.array(value), traits)
    HourStore(build.database.connection()).take(0, rows_of(parts))


def test_hours_stand_for_samples_that_are_gone(build: HistoryBuilder, reader: HistoryReader) -> None:
    a, b = build.agent("a"), build.agent("b")
    depth, other = build.series(a, "depth"), build.series(b, "depth")
    hours(build, depth, [T0 + 5 * MINUTE, T0 + 25 * MINUTE], [10.0, 20.0])
    hours(build, depth, [T0 + HOUR_US], [40.0])
    rows = [HeatRow(a, depth, factor=2.0), HeatRow(b, other)]
    fine = ask(reader, rows, Shown.VALUE, 8, step_us=10 * MINUTE)
    assert told(fine)[0] == [30.0, 30.0, 30.0, math.nan, math.nan, math.nan, 80.0, math.nan]
    coarse = ask(reader, rows, Shown.VALUE, 1, step_us=2 * HOUR_US)
    assert told(coarse) == [[pytest.approx(2 * 70 / 3)], [math.nan]]


def test_quantiles_of_gone_hours_come_from_their_histograms_added_up(
    build: HistoryBuilder, reader: HistoryReader
) -> None:
    a = build.agent("a")
    reply = build.series(a, "agent.request.duration", unit="s")
    hours(build, reply, [T0 + n * S for n in range(100)], [0.1] * 100)
    hours(build, reply, [T0 + HOUR_US + n * S for n in range(10)], [3.0] * 10)
    found = ask(reader, [HeatRow(a, reply)], Shown.P95, 1, "response", 2 * HOUR_US)
    assert found.value[0, 0] == pytest.approx(3.0, rel=0.05)
    assert found.n[0, 0] == 110
