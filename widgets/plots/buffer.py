"""The samples of one series that a plot may show: a bounded sorted run that grows at its end. Pure numpy; GUI thread."""

from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.queries import Float64, HourColumns, Int64, SeriesColumns
from models.domain.reduce import MAX_DELAY_US, envelope_index, plot_time
from widgets.plots.outline import Outline

MOST_POINTS = 2_000_000
_FIRST_CAPACITY = 1024
_FOREVER = 1 << 62


class Slice(NamedTuple):
    """Views into a buffer: plotting time and value. Valid until the buffer changes."""

    x_us: Int64
    value: Float64


class SeriesBuffer:
    """Time, arrival and value of one series, sorted by the time to plot by (`reduce.plot_time`).

    Holds at most `most` points; older ones go first.
    """

    def __init__(self, series: int, most: int = MOST_POINTS) -> None:
        self.series = series
        self.hours: HourColumns | None = None  # of times whose samples are gone
        self.reduced = False  # the store answered with an envelope, not with every sample
        self.version = 0  # rises with every change that is not an addition at the end
        self._most = most
        self._make_room()
        self._newest_received_us = 0
        self._by_arrival = False
        self._interval_us, self._interval_of = 0, (-1, 0, 0)  # as it was then
        self._coarse_us = 0  # how far points of an envelope are from each other, however near those are that come live
        self._next_look = 0  # how many points until the choice between the clocks is made again
        self._outline, self._outline_of = Outline(), -1
        self._breaks, self._breaks_of = _NONE, (-1, -1, 0)

    def _make_room(self) -> None:
        self._x = np.empty(_FIRST_CAPACITY, np.int64)
        self._time = np.empty(_FIRST_CAPACITY, np.int64)
        self._received = np.empty(_FIRST_CAPACITY, np.int64)
        self._value = np.empty(_FIRST_CAPACITY, np.float64)
        self._start = self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    @property
    def x_us(self) -> Int64:
        """Times to plot by, ascending (a view)."""
        return self._x[self._start : self._end]

    @property
    def received_us(self) -> Int64:
        return self._received[self._start : self._end]

    @property
    def value(self) -> Float64:
        return self._value[self._start : self._end]

    @property
    def latest(self) -> float:
        """The newest value; NaN when empty."""
        return float(self._value[self._end - 1]) if len(self) else float("nan")

    def replace(self, columns: SeriesColumns, until_us: int = _FOREVER) -> None:
        """Take the store's answer about what arrived before `until_us`. Points of that time that arrived later than all of it
        (the tail was quicker) stay."""
        newest = int(columns.received_us.max()) if len(columns.received_us) else 0
        later = (self.received_us >= newest) & (self.received_us < until_us) if newest else np.zeros(len(self), bool)
        here = slice(self._start, self._end)
        kept = SeriesColumns(
            self.series, self._time[here][later], self._received[here][later], self._value[here][later], False
        )
        self.reduced = columns.reduced
        self._newest_received_us = self._next_look = 0
        self._by_arrival = False
        self.version += 1
        if not self._adopt(columns):
            self._make_room()
            self._insert(columns.time_us, columns.received_us, columns.value)
        n = len(self)
        self._coarse_us = 2 * int(self.x_us[-1] - self.x_us[0]) // n if self.reduced and n > 1 else 0
        self.append(kept)

    def append(self, columns: SeriesColumns) -> int:
        """Add points from the tail; what is there already is dropped. Returns how many were new."""
        time, received, value = columns.time_us, columns.received_us, columns.value
        if not len(time):
            return 0
        if int(received.min()) <= self._newest_received_us:
            fresh = self._not_here(time, received, value)
            time, received, value = time[fresh], received[fresh], value[fresh]
        if len(time):
            self._insert(time, received, value)
        return len(time)

    def trim(self, since_us: int) -> None:
        """Forget what lies before `since_us`."""
        cut = int(np.searchsorted(self.x_us, since_us))
        if cut:
            self._start += cut
            self.version += 1

    def clear(self) -> None:
        self.replace(SeriesColumns(self.series, _NONE, _NONE, np.empty(0), False))

    def visible(self, since_us: int, until_us: int) -> Slice:
        """Points in [since, until) and one neighbour on each side, so that a line runs on to the edges."""
        first, last = self._seen(since_us, until_us)
        return Slice(self._x[first:last], self._value[first:last])

    def _seen(self, since_us: int, until_us: int) -> tuple[int, int]:
        x = self.x_us
        first = max(0, int(np.searchsorted(x, since_us)) - 1)
        last = min(len(x), int(np.searchsorted(x, until_us)) + 1)
        return self._start + first, self._start + last

    def envelope(self, since_us: int, until_us: int, columns: int) -> Int64 | None:
        """Of what `visible` gives, places of what an envelope of so many columns keeps; None: of so few look at all."""
        x, value = self._x, self._value
        first, last = self._seen(since_us, until_us)
        if self._outline_of != self.version:
            self._outline.forget()
            self._outline_of = self.version
        some = self._outline.places(value, self._start, self._end, first, last, columns)
        if some is None:
            return None
        kept: Int64 = some[envelope_index(x[some], value[some], columns)] - first
        return kept

    def breaks(self, longest_us: int) -> Int64:
        """Times of the points after which nothing came for longer than that (0: none)."""
        if not longest_us:
            return _NONE
        version, longest, end = self._breaks_of
        fresh = (version, longest) != (self.version, longest_us)
        start = self._start if fresh else max(self._start, end - 1)
        if fresh or end != self._end:
            x = self._x[start : self._end]
            found = x[:-1][np.diff(x) > longest_us]
            self._breaks = found if fresh else np.concatenate((self._breaks, found))
            self._breaks_of = self.version, longest_us, self._end
        return self._breaks

    def value_at(self, x_us: int, within_us: int) -> float:
        """The newest value at or before `x_us` that is at most `within_us` old; NaN when there is none."""
        x = self.x_us
        place = int(np.searchsorted(x, x_us, side="right")) - 1
        if place < 0 or x_us - int(x[place]) > within_us:
            return float("nan")
        return float(self.value[place])

    def usual_interval_us(self) -> int:
        """Median distance of the newest points (up to 512), or of those of an envelope if that is more; 0 while fewer than five
        distances are known."""
        state = (self.version, self._start, self._end)
        if state != self._interval_of:
            steps = np.diff(self.x_us[-512:])
            steps = steps[steps > 0]
            self._interval_of = state
            self._interval_us = int(np.median(steps)) if len(steps) >= 5 else 0
        return max(self._interval_us, self._coarse_us)

    def _not_here(self, time: Int64, received: Int64, value: Float64) -> npt.NDArray[np.bool_]:
        """Which points are new: each triple of time, arrival and value counts as often as it came."""
        overlap = self.received_us >= int(received.min())
        here = Counter(
            zip(
                self._time[self._start : self._end][overlap].tolist(),
                self.received_us[overlap].tolist(),
                self.value[overlap].tolist(),
                strict=True,
            )
        )
        fresh = np.ones(len(time), bool)
        for row, point in enumerate(zip(time.tolist(), received.tolist(), value.tolist(), strict=True)):
            if here[point] > 0:
                here[point] -= 1
                fresh[row] = False
        return fresh

    def _insert(self, time: Int64, received: Int64, value: Float64) -> None:
        if not len(time):
            return
        self._reserve(len(time))
        old_end, self._end = self._end, self._end + len(time)
        self._time[old_end : self._end] = time
        self._received[old_end : self._end] = received
        self._value[old_end : self._end] = value
        self._newest_received_us = max(self._newest_received_us, int(received.max()))
        self._choose_clock(old_end)
        self._restore_order(old_end)
        if len(self) > self._most:
            self._start = self._end - self._most
            self.version += 1

    def _adopt(self, columns: SeriesColumns) -> bool:
        """Take over many points without copying them, if they stand as they are drawn. The arrays are never written to: there is
        no room behind their points, so what comes next is put down in a copy."""
        time, received = columns.time_us, columns.received_us
        if not _FIRST_CAPACITY < len(time) <= self._most:
            return False
        drawn = plot_time(time, received)
        if (drawn[1:] < drawn[:-1]).any():
            return False
        self._x, self._time, self._received, self._value = drawn, time, received, columns.value
        self._start, self._end = 0, len(time)
        self._newest_received_us = int(received.max())
        self._by_arrival, self._next_look = drawn is received, 2 * len(time)
        return True

    def _choose_clock(self, added_at: int) -> None:
        """Set the plotting times of what was added. The agent's own clock or arrival: decided for all, now and then."""
        span = slice(self._start, self._end)
        if len(self) >= self._next_look:
            self._next_look = max(64, 2 * len(self))
            chosen = plot_time(self._time[span], self._received[span])
            by_arrival = bool(np.array_equal(chosen, self._received[span]))
            if by_arrival != self._by_arrival:
                self._by_arrival = by_arrival
                self.version += 1
            self._x[span] = chosen
            return
        new = slice(added_at, self._end)
        self._x[new] = self._received[new] if self._by_arrival else _plausible(self._time[new], self._received[new])

    def _restore_order(self, added_at: int) -> None:
        x = self._x[self._start : self._end]
        if len(x) < 2 or not bool((x[1:] < x[:-1]).any()):
            return
        first_new = self._x[added_at : self._end].min()
        first = self._start + int(np.searchsorted(self._x[self._start : added_at], first_new, side="right"))
        if bool((self._x[self._start + 1 : added_at] < self._x[self._start : added_at - 1]).any()):
            first = self._start  # the clock changed for all
        order = np.argsort(self._x[first : self._end], kind="stable")
        for column in (self._x, self._time, self._received, self._value):
            column[first : self._end] = column[first : self._end][order]
        self.version += 1

    def _reserve(self, more: int) -> None:
        if self._end + more <= len(self._x):
            return
        n = len(self)
        capacity = max(_FIRST_CAPACITY, 2 * (n + more)) if n + more < self._most else n + more + self._most // 4
        for name in ("_x", "_time", "_received", "_value"):
            old = getattr(self, name)
            grown = np.empty(capacity, old.dtype)
            grown[:n] = old[self._start : self._end]
            setattr(self, name, grown)
        self.version += self._start > 0  # every place is another one
        self._start, self._end = 0, n


_NONE = np.empty(0, np.int64)


def _plausible(time_us: Int64, received_us: Int64) -> Int64:
    """Own times of a few points of an agent whose clock is known to be right."""
    far = np.abs(time_us - received_us) > MAX_DELAY_US
    return np.where(far, received_us, time_us) if far.any() else time_us
