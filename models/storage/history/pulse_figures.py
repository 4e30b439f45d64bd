"""What agents did over time, summed up from pulses while they are read."""

from collections.abc import Iterator

import numpy as np

from models.domain.pulse_figures import COUNTS, PULSE_US, PulseRequest, PulseResult
from models.domain.queries import CancelToken
from models.storage.history.gaps import gaps_between
from models.storage.history.pulses import Pulse
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import OpenSegment
from models.storage.segments.pulse_columns import PULSE, RESPONSE

_LOOK_EVERY = 64


def answer_pulses(view: StoreView, request: PulseRequest, now_us: int, token: CancelToken) -> PulseResult:
    """Raises `Cancelled`."""
    step = max(PULSE_US, request.step_us // PULSE_US * PULSE_US)
    first = request.since_us // step * step
    steps = max(0, -(-(request.until_us - first) // step))
    agents = np.array(sorted(set(request.agents)), np.int64)
    places = np.searchsorted(agents, np.array(request.agents, np.int64))
    sums = {name: np.zeros((len(agents), steps), np.int64) for name in COUNTS}
    known = np.zeros(steps, bool)
    for row in view.overlapping(first - PULSE_US, request.until_us):
        pulses = view.stream(row, lambda opened, _: _pulses(opened, first, request.until_us))
        for number, pulse in enumerate(pulses):
            if number % _LOOK_EVERY == 0:
                token.check()
            place = (pulse.since_us - first) // step
            known[place] = True
            mine = pulse.data[np.isin(pulse.data["agent"], agents)]
            at = np.searchsorted(agents, mine["agent"])
            for name, sum_ in sums.items():
                sum_[at, place] += mine[name]
    shown = np.flatnonzero(known)
    return PulseResult(
        request,
        first + shown * step,
        {name: sum_[places][:, shown] for name, sum_ in sums.items()},
        gaps_between(view, request.since_us, request.until_us, set(request.agents), now_us),
    )


def _pulses(opened: OpenSegment, since_us: int, until_us: int) -> Iterator[Pulse]:
    """One whose bytes do not fit says nothing."""
    sql = "select since_us, data from pulse where since_us >= ? and since_us < ? order by since_us"
    for at_us, data in opened.rows(sql, since_us, until_us):
        if len(data) % PULSE.itemsize == 0:
            yield Pulse(at_us, np.frombuffer(data, PULSE), np.zeros(0, RESPONSE))
