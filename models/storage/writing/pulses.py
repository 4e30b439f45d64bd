"""What the fleet did, ten seconds at a time: summed up while batches are taken in, stored when the ten seconds are over."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.storage.segments.pulse_columns import PULSE, PULSE_US, response_bin
from models.storage.segments.pulse_columns import RESPONSE as RESPONSE_TYPE
from models.storage.writing.headlines import ATTEMPTS, CPU, ERRORS, MEMORY, RESPONSE, SUCCESSES, Headlines
from models.storage.writing.intake import HeadlineSamples, Intake

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SETTLE_US = 1_000_000
"""A message that arrived in the last moment of the ten seconds is committed and taken in within this."""
_COUNTS = ("messages", "finished", "failed", "attempts", "successes", "errors", "log_errors")
_COUNTER_ROLES = {ATTEMPTS: "attempts", SUCCESSES: "successes", ERRORS: "errors"}


class PulseRow(NamedTuple):
    """A row of `segment.Pulse`."""

    since_us: int
    batch_id: int
    n: int
    data: bytes
    responses: bytes | None


class Pulses:
    """Sums of the ten-second windows under way, and the last value of every connection counter. One thread."""

    def __init__(self) -> None:
        self._windows: dict[int, _Window] = {}
        self._counter_value = np.zeros(0)
        self._counter_time = np.zeros(0, np.int64)

    def add(self, intake: Intake, headlines: Headlines, from_window: int = 0) -> None:
        """Count in what `intake` told; of windows before `from_window` nothing."""
        size = headlines.agents
        for agent, window, n in intake.message_counts:
            self._window(window, from_window, size).add("messages", agent, n)
        for agent, window, n in intake.log_errors:
            self._window(window, from_window, size).add("log_errors", agent, n)
        for agent, window, ok, n in intake.attempts:
            at = self._window(window, from_window, size)
            at.add("attempts", agent, n)
            at.add("successes" if ok else "errors", agent, n)
        for agent, window, failed, n in intake.finished:
            at = self._window(window, from_window, size)
            at.add("finished", agent, n)
            at.add("failed", agent, n if failed else 0)
        replies = np.array([(agent, window, us / 1e6) for agent, window, us in intake.replies]).reshape(-1, 3)
        if len(replies):
            self._add_responses(
                replies[:, 0].astype(np.int64), replies[:, 1].astype(np.int64), replies[:, 2], from_window, size
            )
        self._add_samples(intake.samples, headlines, from_window)

    def remember_counters(self, samples: HeadlineSamples, headlines: Headlines) -> None:
        """Take the last values of counters without counting anything."""
        role = headlines.role[samples.series]
        self._increases(samples.pick(np.isin(role, list(_COUNTER_ROLES))), len(headlines.role))

    def ended(self, until_us: int, batch_id: int) -> list[PulseRow]:
        """Rows of all windows that ended by `until_us`; they stay until `forget`."""
        ended = [window for window in sorted(self._windows) if (window + 1) * PULSE_US <= until_us]
        return [row for row in (self._windows[window].row(window, batch_id) for window in ended) if row.n]

    def forget(self, until_us: int) -> None:
        """Drop the windows that ended by `until_us`: they are stored."""
        for window in [one for one in self._windows if (one + 1) * PULSE_US <= until_us]:
            del self._windows[window]

    def newest_us(self) -> int:
        """Start of the newest window."""
        return max(self._windows, default=0) * PULSE_US

    def _window(self, window: int, from_window: int, size: int) -> "_Window":
        if window < from_window:
            return _Window(size)  # counted already; this one is thrown away
        found = self._windows.get(window)
        if found is None:
            found = self._windows[window] = _Window(size)
        found.grow(size)
        return found

    def _add_samples(self, samples: HeadlineSamples, headlines: Headlines, from_window: int) -> None:
        if not len(samples.series):
            return
        role = headlines.role[samples.series]
        size = headlines.agents
        for wanted in (CPU, MEMORY, RESPONSE):
            some = samples.pick(role == wanted)
            agent = headlines.agent[some.series]
            value = headlines.shown(some.series, some.value)
            windows = some.received_us // PULSE_US
            if wanted == RESPONSE:
                self._add_responses(agent, windows, value, from_window, size)
                continue
            for window in np.unique(windows).tolist():
                inside = windows == window
                at = self._window(window, from_window, size)
                (at.add_cpu if wanted == CPU else at.add_memory)(agent[inside], value[inside])
        self._add_increases(samples.pick(role >= ATTEMPTS), headlines, from_window)

    def _add_increases(self, samples: HeadlineSamples, headlines: Headlines, from_window: int) -> None:
        counted, increase = self._increases(samples, len(headlines.role))
        windows = counted.received_us // PULSE_US
        agent, role = headlines.agent[counted.series], headlines.role[counted.series]
        for window in np.unique(windows).tolist():
            at = self._window(window, from_window, headlines.agents)
            for wanted, name in _COUNTER_ROLES.items():
                inside = (windows == window) & (role == wanted)
                at.add_many(name, agent[inside], increase[inside])

    def _add_responses(self, agent: Ints, windows: Ints, seconds: Floats, from_window: int, size: int) -> None:
        codes = (agent << 16) | (response_bin(seconds).astype(np.int64) + 0x8000)
        for window in np.unique(windows).tolist():
            self._window(window, from_window, size).responses.append(codes[windows == window])

    def _increases(self, samples: HeadlineSamples, size: int) -> tuple[HeadlineSamples, Floats]:
        """Exact increases of counters. A first value tells none; one below its predecessor began again from zero; one
        whose own time lies before what was counted came late and tells nothing new."""
        if len(self._counter_value) < size:
            grown = np.full(size - len(self._counter_value), np.nan)
            self._counter_value = np.concatenate((self._counter_value, grown))
            self._counter_time = np.concatenate((self._counter_time, np.zeros(len(grown), np.int64)))
        samples = samples.pick(samples.time_us >= self._counter_time[samples.series])
        samples = samples.pick(np.lexsort((samples.time_us, samples.series)))
        series, value = samples.series, samples.value
        if not len(series):
            return samples, value
        change = series[1:] != series[:-1]
        first, last = np.concatenate(([True], change)), np.concatenate((change, [True]))
        before = np.concatenate(([np.nan], value[:-1]))
        before[first] = self._counter_value[series[first]]
        increase = np.where(np.isnan(before), 0.0, np.where(value >= before, value - before, np.maximum(value, 0.0)))
        self._counter_value[series[last]] = value[last]
        self._counter_time[series[last]] = samples.time_us[last]
        return samples, increase


class _Window:
    """Sums of ten seconds, indexed by agent."""

    def __init__(self, size: int) -> None:
        self.counts = {name: np.zeros(size) for name in _COUNTS}
        self.cpu_sum = np.zeros(size)
        self.cpu_n = np.zeros(size)
        self.cpu_max = np.full(size, -np.inf)
        self.memory = np.full(size, np.nan)
        self.responses: list[Ints] = []

    def grow(self, size: int) -> None:
        more = size - len(self.cpu_n)
        if more <= 0:
            return
        for name in _COUNTS:
            self.counts[name] = np.concatenate((self.counts[name], np.zeros(more)))
        self.cpu_sum = np.concatenate((self.cpu_sum, np.zeros(more)))
        self.cpu_n = np.concatenate((self.cpu_n, np.zeros(more)))
        self.cpu_max = np.concatenate((self.cpu_max, np.full(more, -np.inf)))
        self.memory = np.concatenate((self.memory, np.full(more, np.nan)))

    def add(self, name: str, agent: int, n: float) -> None:
        if agent:
            self.counts[name][agent] += n

    def add_many(self, name: str, agent: Ints, n: Floats) -> None:
        np.add.at(self.counts[name], agent, n)

    def add_cpu(self, agent: Ints, value: Floats) -> None:
        np.add.at(self.cpu_sum, agent, value)
        np.add.at(self.cpu_n, agent, 1)
        np.maximum.at(self.cpu_max, agent, value)

    def add_memory(self, agent: Ints, value: Floats) -> None:
        self.memory[agent] = value  # of several the last stays: they are in order of arrival

    def row(self, window: int, batch_id: int) -> PulseRow:
        responses = np.concatenate(self.responses) if self.responses else np.zeros(0, np.int64)
        codes, numbers = np.unique(responses, return_counts=True)
        busy = (self.cpu_n > 0) | ~np.isnan(self.memory)
        for counts in self.counts.values():
            busy |= counts > 0
        busy[codes >> 16] = True
        agents = np.flatnonzero(busy)
        data = np.zeros(len(agents), PULSE)
        data["agent"] = agents
        for name, counts in self.counts.items():
            data[name] = np.minimum(np.rint(counts[agents]), 0xFFFF_FFFF)
        sampled = self.cpu_n[agents] > 0
        cpu = self.cpu_sum[agents] / np.where(sampled, self.cpu_n[agents], 1)
        data["cpu"] = np.where(sampled, cpu, np.nan)
        data["cpu_max"] = np.where(sampled, self.cpu_max[agents], np.nan)
        data["memory"] = self.memory[agents]
        spread = np.zeros(len(codes), RESPONSE_TYPE)
        spread["agent"], spread["bin"], spread["n"] = codes >> 16, (codes & 0xFFFF) - 0x8000, numbers
        return PulseRow(
            window * PULSE_US, batch_id, len(agents), data.tobytes(), spread.tobytes() if len(spread) else None
        )
