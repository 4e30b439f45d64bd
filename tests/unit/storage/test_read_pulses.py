"""What agents did over time, out of pulses: exact sums over whole steps, and nothing where nothing was recorded."""

import pytest

from models.domain.pulse_figures import PULSE_US, PulseRequest, PulseResult
from models.domain.queries import Cancelled, CancelToken
from models.storage.history.reader import HistoryReader
from tests.helpers.clock import FIRST_WALL_US
from tests.helpers.history_builder import HistoryBuilder, raw

MINUTE = 6 * PULSE_US
T0 = FIRST_WALL_US // MINUTE * MINUTE


def ask(reader: HistoryReader, *agents: int, minutes: int = 10, step_us: int = PULSE_US) -> PulseResult:
    (result,) = reader.answer(PulseRequest(agents, T0, T0 + minutes * MINUTE, step_us), CancelToken())
    assert isinstance(result, PulseResult)
    return result


def written(build: HistoryBuilder) -> tuple[int, int]:
    """Two segments; one pulse was cut in two by the change from one to the other."""
    a, b = build.agent("a"), build.agent("b")
    first = build.segment()
    first.write(build.messages([raw(at_us=T0), raw(at_us=T0 + MINUTE)], a))
    first.pulse(T0, [{"agent": a, "messages": 5, "finished": 4, "failed": 1}, {"agent": b, "messages": 2}])
    first.pulse(T0 + PULSE_US, [{"agent": b, "messages": 3, "log_errors": 2}])
    first.pulse(T0 + 6 * PULSE_US, [{"agent": a, "messages": 1}])
    first.close()
    second = build.segment()
    second.write(build.messages([raw(at_us=T0 + MINUTE + 1), raw(at_us=T0 + 3 * MINUTE)], a))
    second.pulse(T0 + 6 * PULSE_US, [{"agent": a, "messages": 7, "finished": 2, "failed": 2}])
    second.close()
    return a, b


def test_each_pulse_is_told_with_zero_for_who_did_nothing(build: HistoryBuilder, reader: HistoryReader) -> None:
    a, b = written(build)
    found = ask(reader, b, a)
    assert ((found.time_us - T0) // PULSE_US).tolist() == [0, 1, 6]
    assert found.counts["messages"].tolist() == [[2, 3, 0], [5, 0, 8]]
    assert found.counts["finished"].tolist() == [[0, 0, 0], [4, 0, 2]]
    assert found.counts["log_errors"].tolist() == [[0, 2, 0], [0, 0, 0]]


def test_steps_hold_whole_pulses_and_those_without_any_are_left_out(
    build: HistoryBuilder, reader: HistoryReader
) -> None:
    a, _ = written(build)
    found = ask(reader, a, step_us=MINUTE)
    assert ((found.time_us - T0) // MINUTE).tolist() == [0, 1]
    assert found.counts["messages"].tolist() == [[5, 8]]
    assert found.counts["failed"].tolist() == [[1, 2]]
    assert ask(reader, a, minutes=1, step_us=MINUTE).counts["messages"].tolist() == [[5]]


def test_nobody_and_the_cancelled(build: HistoryBuilder, reader: HistoryReader) -> None:
    a, _ = written(build)
    assert ask(reader).counts["messages"].shape == (0, 3)
    with pytest.raises(Cancelled):
        list(reader.answer(PulseRequest((a,), T0, T0 + MINUTE), CancelToken(cancelled=True)))
