"""Cells of a heat-map from pulses: what the recorder summed up of every agent in each ten seconds."""

from collections.abc import Iterator

import numpy as np

from models.domain.heat_queries import HeatRequest
from models.domain.layouts.layout import Shown
from models.domain.pulse_figures import COUNTS, ERROR_RATIO, FIGURES, PULSE_US
from models.domain.queries import Float64, Int64
from models.storage.history.heat_cells import QUANTILES, HistogramQuantiles, Means, ratio
from models.storage.history.pulses import BINS, LOWEST_BIN, Pulse
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import OpenSegment, SegmentRow
from models.storage.segments.pulse_columns import PULSE, RESPONSE, bin_middle_s

FRESH_US = 12 * PULSE_US
"""Of so short a time samples are few, and they are there before the pulse that sums them up."""
_RISING = ("attempts", "successes", "errors")
_PULSES_AT_ONCE = 64


def held_by_pulses(request: HeatRequest) -> bool:
    """Do pulses tell this?"""
    if request.figure in FIGURES:
        return True
    held = {
        "cpu": request.shown is Shown.VALUE,
        "memory": request.shown is Shown.VALUE,
        "response": request.shown in QUANTILES,
        **dict.fromkeys(_RISING, request.shown is Shown.RATE),
    }
    whole = request.step_us % PULSE_US == 0 and request.until_us - request.first_us > FRESH_US
    return whole and held.get(request.figure, False)


class PulseCells:
    """An agent that did nothing in a pulse has no entry in it: that is 0 of what everybody is counted by, and no value of
    anything else."""

    def __init__(self, request: HeatRequest) -> None:
        self._request, self._figure = request, request.figure
        agents = np.array([row.agent for row in request.rows], np.int64)
        self._order = np.argsort(agents, kind="stable")
        self._agents = agents[self._order]
        cells = len(request.rows) * request.steps
        self._known: set[int] = set()  # beginnings of pulses; one may stand in two segments by halves
        self._above, self._below = np.zeros(cells, np.int64), np.zeros(cells, np.int64)
        self._means = Means(cells)
        self._responses: HistogramQuantiles | None = None
        if self._figure == "response":
            middles = bin_middle_s(np.arange(LOWEST_BIN, LOWEST_BIN + BINS, dtype=np.int16))
            self._responses = HistogramQuantiles(QUANTILES[request.shown], cells, LOWEST_BIN, middles)

    def read(self, view: StoreView, row: SegmentRow) -> Iterator[None]:
        def pulses(opened: OpenSegment, _row: SegmentRow) -> Iterator[Pulse]:
            return _pulses(opened, request.first_us, request.until_us, with_responses=self._responses is not None)

        request = self._request
        for number, pulse in enumerate(view.stream(row, pulses)):
            self._take(pulse)
            if number % _PULSES_AT_ONCE == 0:
                yield
        yield

    def _take(self, pulse: Pulse) -> None:
        step = (pulse.since_us - self._request.first_us) // self._request.step_us
        self._known.add(pulse.since_us)
        if self._responses is not None:
            mine, cell = self._cells(pulse.responses["agent"], step)
            some = pulse.responses[mine]
            self._responses.add(cell, some["bin"].astype(np.int64), some["n"].astype(np.int64))
            return
        mine, cell = self._cells(pulse.data["agent"], step)
        some = pulse.data[mine]
        if self._figure in ("cpu", "memory"):
            value = some[self._figure].astype(np.float64)
            told = ~np.isnan(value)
            self._means.add(cell[told], value[told])
        elif self._figure == ERROR_RATIO:
            self._above[cell] += some["failed"]
            self._below[cell] += some["finished"]
        else:
            self._above[cell] += some[self._figure]
            self._below[cell] += 1

    def _cells(self, agent: np.ndarray, step: int) -> tuple[Int64, Int64]:
        """Places of the entries that are wanted, and their cells."""
        agents = agent.astype(np.int64)
        place = np.searchsorted(self._agents, agents)
        place[place == len(self._agents)] = 0
        mine = np.flatnonzero(self._agents[place] == agents) if len(self._agents) else np.zeros(0, np.int64)
        return mine, self._order[place[mine]] * self._request.steps + step

    def told(self) -> tuple[Float64, Int64]:
        untold = np.zeros(len(self._above), np.int64)
        if self._responses is not None:
            return self._responses.told()
        if self._figure in ("cpu", "memory"):
            return self._means.told()
        if self._figure == ERROR_RATIO:
            return ratio(self._above, self._below), self._below
        request = self._request
        steps = (np.array(sorted(self._known), np.int64) - request.first_us) // request.step_us
        known_s = np.tile(np.bincount(steps, minlength=request.steps) * (PULSE_US / 1e6), len(request.rows))
        rate = ratio(self._above, known_s)
        if self._figure not in COUNTS:
            rate[self._below == 0] = np.nan
        return rate, untold


def _pulses(opened: OpenSegment, since_us: int, until_us: int, *, with_responses: bool) -> Iterator[Pulse]:
    """The newest first; one whose bytes do not fit says nothing."""
    responses = "responses" if with_responses else "null"
    sql = f"select since_us, data, {responses} from pulse where since_us >= ? and since_us < ? order by since_us desc"
    for at_us, data, told in opened.rows(sql, since_us, until_us):
        if len(data) % PULSE.itemsize == 0 and len(told or b"") % RESPONSE.itemsize == 0:
            yield Pulse(at_us, np.frombuffer(data, PULSE), np.frombuffer(told or b"", RESPONSE))
