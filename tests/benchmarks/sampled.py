"""Segments that hold samples and nothing else, made from arrays: as many as a week has, in seconds."""

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from models.domain.names import Names, SeriesKey, SeriesKind
from models.storage.writing.batch_rows import series_row

SECOND_US = 1_000_000
COMMIT_US = 50_000
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Random = np.random.Generator


def _walk(random: Random, start: npt.NDArray[np.float64], n: int, step: float) -> Float64:
    return start + np.cumsum(random.normal(0, step, (n, len(start))), axis=0)


VALUES: dict[str, Callable[[Random, int, int], Float64]] = {
    "random walk": lambda random, n, agents: _walk(random, random.normal(50, 9, agents), n, 1.0),
    "sensor noise": lambda random, n, agents: np.round(random.normal(21, 0.5, (n, agents)), 2),
    "counter": lambda random, n, agents: np.cumsum(random.poisson(3, (n, agents)), axis=0).astype(np.float64),
    "constant": lambda random, n, agents: np.broadcast_to(random.normal(0, 1, agents).round(3), (n, agents)),
    "switch": lambda random, n, agents: (random.random((n, agents)) < 0.1).astype(np.float64),
    "ratio": lambda random, n, agents: np.abs(np.sin(_walk(random, random.normal(0, 1, agents), n, 0.02))).round(4),
    "memory": lambda random, n, agents: np.round(3e8 * np.exp(_walk(random, random.normal(0, 0.3, agents), n, 0.002))),
    "duration": lambda random, n, agents: random.lognormal(-2.3, 0.5, (n, agents)).round(5),
}
"""What a metric looks like: [n, agents]."""
FLEET = ("ratio", "memory", "duration", "counter", "counter", "counter", "constant", "counter")


class Fleet(NamedTuple):
    """`agents` that each send `kinds` every `period_us`, own times with some jitter, arrivals a little later."""

    agents: int
    kinds: tuple[str, ...]
    period_us: int = SECOND_US
    jitter_us: int = 1_500
    delay_us: int = 2_000


def names_of(fleet: Fleet) -> tuple[Names, npt.NDArray[np.uint32]]:
    """Names, and the series of each agent [agent, kind]."""
    names = Names()
    series = [
        [names.series_of(SeriesKey(names.agent(f"agent-{one}"), f"m{place}.{kind}", "", "1", SeriesKind.GAUGE, "own"))
         for place, kind in enumerate(fleet.kinds)]
        for one in range(fleet.agents)
    ]  # fmt: skip
    return names, np.array(series, np.uint32)


class Stretch(NamedTuple):
    """Messages in order of arrival."""

    agent: Int64
    time_us: Int64
    received_us: Int64
    value: Float64  # [message, kind]


def stretch(fleet: Fleet, random: Random, since_us: int, n: int) -> Stretch:
    """`n` turns of everybody."""
    phase = (np.arange(fleet.agents) * fleet.period_us // fleet.agents)[None, :]
    due = since_us + np.arange(n, dtype=np.int64)[:, None] * fleet.period_us + phase
    time_us = due + random.normal(0, fleet.jitter_us, due.shape).astype(np.int64)
    received_us = time_us + 200 + random.exponential(fleet.delay_us, due.shape).astype(np.int64)
    order = np.argsort(received_us.ravel(), kind="stable")
    value = np.stack([VALUES[kind](random, n, fleet.agents) for kind in fleet.kinds], axis=2)
    return Stretch(
        np.tile(np.arange(fleet.agents), n)[order],
        time_us.ravel()[order],
        received_us.ravel()[order],
        value.reshape(n * fleet.agents, len(fleet.kinds))[order],
    )


def batches(made: Stretch, series: npt.NDArray[np.uint32], commit_us: int) -> Iterator[tuple[object, ...]]:
    """Rows of the table `batch`: a commit every so often, if something arrived."""
    turn = made.received_us // commit_us
    bounds = np.flatnonzero(np.diff(turn, prepend=-1, append=-1)).tolist()
    kinds = series.shape[1]
    seq = 1
    for id_, (low, end) in enumerate(itertools.pairwise(bounds), 1):
        n = end - low
        ids = series[made.agent[low:end]].ravel()
        order = np.argsort(ids, kind="stable")
        data = b"".join((
            np.array((n * kinds, n), "<u4").tobytes(), made.time_us[low:end].tobytes(), made.received_us[low:end].tobytes(),
            np.arange(n, dtype="<u4").tobytes(), made.value[low:end].ravel()[order].tobytes(), ids[order].tobytes(),
            np.repeat(np.arange(n, dtype="<u4"), kinds)[order].tobytes(),
        ))  # fmt: skip
        agents = np.unique(made.agent[low:end] + 1).astype("<u4").tobytes()
        received = made.received_us[low:end]
        yield (id_, int(received[-1]) + 1, int(received[0]), int(received[-1]), seq, n, n * kinds, 0, 0, 0, 0, 0,
               agents, None, data)  # fmt: skip
        seq += n


def fill(
    connection: apsw.Connection, made: Stretch, names: Names, series: npt.NDArray[np.uint32], commit_us: int = COMMIT_US
) -> None:
    """Names and batches into the tables of a segment of layout 1."""
    with connection:
        connection.executemany(
            "INSERT INTO agent VALUES (?, ?)", [(i, name) for i, name in enumerate(names.agents) if i]
        )
        rows = [series_row(names, id_) for id_ in range(1, len(names.series))]
        connection.executemany("INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.executemany(f"INSERT INTO batch VALUES ({','.join('?' * 15)})", batches(made, series, commit_us))
