"""The last hour of all agents, kept up to date from pulses: each pulse is read and added once, and taken off when it is old; many of
them at a time."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.queries import SPARK_CELLS, Float32, Float64, Int64
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import OpenSegment, SegmentRow
from models.storage.segments.pulse_columns import PULSE, PULSE_US, RESPONSE, bin_middle_s

MINUTE_US = 60_000_000
COUNTED = ("messages", "finished", "failed", "attempts", "successes", "errors", "log_errors")
FAILURES = ("failed", "errors", "log_errors")
PAGE = 60  # pulses read by one statement
LOWEST_BIN, BINS = -530, 1_200
"""Bins kept apart: 1 ns to some 10¹¹ s. What lies outside counts as the outermost."""


class Pulse(NamedTuple):
    """One decoded row of `segment.Pulse`; the arrays are of `pulse_columns`."""

    since_us: int
    data: npt.NDArray[np.void]
    responses: npt.NDArray[np.void]


class PulseWindow:
    """Sums over the pulses of a stretch of time that moves along. Arrays are indexed by agent id. One thread."""

    def __init__(self) -> None:
        self._pulses: dict[tuple[int, int], Pulse] = {}
        self._closed: dict[int, list[tuple[int, int]]] = {}  # segments that get no more -> pulses and their beginnings
        self._size = 0
        self.sums: dict[str, Int64] = {name: np.zeros(0, np.int64) for name in COUNTED}
        self._errors: dict[int, Int64] = {}  # minute -> errors per agent
        self._rows: dict[int, int] = {}  # agent -> row of the histogram
        self._histogram = np.zeros((0, BINS), np.int64)

    def update(self, view: StoreView, since_us: int, until_us: int, size: int) -> None:
        """Cover the pulses that began in [since_us, until_us); arrays get at least `size` places."""
        self._grow(size)
        wanted: dict[tuple[int, int], int] = {}
        missing: dict[SegmentRow, list[int]] = {}
        rows = view.overlapping(since_us - PULSE_US, 0)
        self._closed = {row.id: self._closed[row.id] for row in rows if row.id in self._closed}
        for row in rows:
            for id_, began_us in self._list(view, row, since_us, until_us):
                wanted[row.id, id_] = began_us
                if (row.id, id_) not in self._pulses:
                    missing.setdefault(row, []).append(id_)
        gone = [key for key in self._pulses if key not in wanted]
        old, new = [self._pulses.pop(key) for key in gone], dict[tuple[int, int], Pulse]()
        for row, ids in missing.items():
            told = partial(view.note_damage, row.id)
            for id_, pulse in view.stream(row, lambda opened, _, ids=ids, told=told: _read(opened, ids, told)):  # type: ignore[misc]
                new[row.id, id_] = pulse
        if len(old) > len(self._pulses):  # a jump: it is less work to begin anew with those that stay
            self._reset()
            self._add([*self._pulses.values(), *new.values()], 1)
        else:
            self._add(old, -1)
            self._add(list(new.values()), 1)
        self._pulses |= new
        first = since_us // MINUTE_US
        self._errors = {minute: found for minute, found in self._errors.items() if minute >= first and found.any()}

    def _list(self, view: StoreView, row: SegmentRow, since_us: int, until_us: int) -> list[tuple[int, int]]:
        """Pulses of a segment, (id, beginning). A closed one is asked once, so that nobody has to hold its file."""
        nothing: list[tuple[int, int]] = []
        if row.is_open:
            sql = "select id, since_us from pulse where since_us >= ? and since_us < ?"
            return view.attempt(row, lambda opened, _: opened.rows(sql, since_us, until_us), nothing)
        all_of_it = self._closed.get(row.id)
        if all_of_it is None:
            all_of_it = view.attempt(row, lambda opened, _: opened.rows("select id, since_us from pulse"), nothing)
            if all_of_it is not nothing:
                self._closed[row.id] = all_of_it
        return [one for one in all_of_it if since_us <= one[1] < until_us]

    def _grow(self, size: int) -> None:
        if size > self._size:
            more = size - self._size
            self.sums = {name: np.pad(found, (0, more)) for name, found in self.sums.items()}
            self._errors = {minute: np.pad(found, (0, more)) for minute, found in self._errors.items()}
            self._size = size

    def _reset(self) -> None:
        self.sums = {name: np.zeros(self._size, np.int64) for name in COUNTED}
        self._errors, self._rows = {}, {}
        self._histogram[:] = 0

    def _add(self, pulses: list[Pulse], sign: int) -> None:
        if not pulses:
            return
        data = np.concatenate([pulse.data for pulse in pulses], dtype=PULSE)
        agents = data["agent"].astype(np.int64)
        if len(agents):
            self._grow(int(agents.max()) + 1)
        for name in COUNTED:
            self.sums[name] += sign * _summed(agents, data[name], self._size)
        failures = np.sum([data[name].astype(np.int64) for name in FAILURES], axis=0)
        minutes = np.repeat([pulse.since_us // MINUTE_US for pulse in pulses], [len(pulse.data) for pulse in pulses])
        for minute in {pulse.since_us // MINUTE_US for pulse in pulses}:
            some = minutes == minute
            errors = self._errors.setdefault(minute, np.zeros(self._size, np.int64))
            errors += sign * _summed(agents[some], failures[some], self._size)
        self._add_responses(np.concatenate([pulse.responses for pulse in pulses], dtype=RESPONSE), sign)

    def _add_responses(self, responses: npt.NDArray[np.void], sign: int) -> None:
        if not len(responses):
            return
        agents = responses["agent"].astype(np.int64)
        present, place = np.unique(agents, return_inverse=True)
        for agent in present.tolist():
            self._rows.setdefault(agent, len(self._rows))
        if len(self._rows) > len(self._histogram):
            self._histogram = np.pad(self._histogram, ((0, 2 * len(self._rows) - len(self._histogram)), (0, 0)))
        rows = np.array([self._rows[agent] for agent in present.tolist()])[place]
        bins = np.clip(responses["bin"].astype(np.int64) - LOWEST_BIN, 0, BINS - 1)
        np.add.at(self._histogram, (rows, bins), sign * responses["n"].astype(np.int64))

    def errors_by_minute(self, first_minute: int, minutes: int) -> npt.NDArray[np.uint16]:
        """[agent, minute]: failed work, failed connections and error logs."""
        found = np.zeros((self._size, minutes), np.int64)
        for minute, errors in self._errors.items():
            if first_minute <= minute < first_minute + minutes:
                found[:, minute - first_minute] = errors
        return np.minimum(found, 65_535).astype(np.uint16)

    def response_p95(self) -> tuple[Float64, Int64]:
        """95th percentile of the response times (seconds, NaN without any), and how many there were, per agent."""
        quantile, n = np.full(self._size, np.nan), np.zeros(self._size, np.int64)
        if not self._rows:
            return quantile, n
        used = self._histogram[: len(self._rows)]
        busy = np.flatnonzero(used.any(axis=0))
        agents = np.fromiter(self._rows, np.int64, len(self._rows))
        if len(busy):
            n[agents] = used.sum(axis=1)
            total = np.cumsum(used[:, busy], axis=1)
            place = (total < np.ceil(0.95 * total[:, -1:])).sum(axis=1)
            middle = bin_middle_s((busy + LOWEST_BIN).astype(np.int16))
            quantile[agents] = np.where(total[:, -1] > 0, middle[np.minimum(place, len(busy) - 1)], np.nan)
        return quantile, n

    def sparks(self, until_us: int) -> tuple[Float32, Float32]:
        """CPU and memory, [agent, SPARK_CELLS], of the cells that end at `until_us`; NaN where nothing was sent."""
        cpu = np.full((self._size, SPARK_CELLS), np.nan, np.float32)
        memory = np.full((self._size, SPARK_CELLS), np.nan, np.float32)
        for pulse in sorted(self._pulses.values(), key=lambda one: one.since_us):
            cell = SPARK_CELLS - 1 - (until_us - PULSE_US - pulse.since_us) // PULSE_US
            if 0 <= cell < SPARK_CELLS:
                for into, name in ((cpu, "cpu"), (memory, "memory")):
                    told = ~np.isnan(pulse.data[name])
                    into[pulse.data["agent"][told], cell] = pulse.data[name][told]
        return cpu, memory

    def last_values(self) -> tuple[Float64, Float64, Int64]:
        """Newest CPU and memory (NaN: none), and the end of the last ten seconds with a message (0: none), per agent."""
        cpu, memory, seen = np.full(self._size, np.nan), np.full(self._size, np.nan), np.zeros(self._size, np.int64)
        for pulse in sorted(self._pulses.values(), key=lambda one: one.since_us):
            for into, name in ((cpu, "cpu"), (memory, "memory")):
                told = ~np.isnan(pulse.data[name])
                into[pulse.data["agent"][told]] = pulse.data[name][told]
            seen[pulse.data["agent"][pulse.data["messages"] > 0]] = pulse.since_us + PULSE_US
        return cpu, memory, seen


def _summed(agents: Int64, counts: npt.NDArray[np.void], size: int) -> Int64:
    """Of each agent; counts are far below what a float holds exactly."""
    found: Int64 = np.bincount(agents, weights=counts, minlength=size).astype(np.int64)
    return found


def _read(opened: OpenSegment, ids: list[int], damaged: Callable[[Exception], None]) -> Iterator[tuple[int, Pulse]]:
    """Pulses by their ids. One whose bytes do not fit counts as empty."""
    for first in range(0, len(ids), PAGE):
        some = ids[first : first + PAGE]
        marks = ",".join("?" * len(some))
        sql = f"select id, since_us, data, responses from pulse where id in ({marks})"
        for id_, since_us, data, responses in opened.rows(sql, *some):
            try:
                pulse = Pulse(since_us, np.frombuffer(data, PULSE), np.frombuffer(responses or b"", RESPONSE))
            except ValueError as error:
                damaged(error)
                pulse = Pulse(since_us, np.zeros(0, PULSE), np.zeros(0, RESPONSE))
            yield id_, pulse
