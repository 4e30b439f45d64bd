import pytest

from mqtt.commit_pace import CommitPace
from tests.helpers.clock import FakeClock


def test_nothing_waits_nothing_is_due(clock: FakeClock) -> None:
    assert CommitPace(clock).due_in_us() is None


def test_qos_0_alone_waits_fifty_milliseconds(clock: FakeClock) -> None:
    pace = CommitPace(clock)
    pace.arrived(0)
    assert pace.due_in_us() == 50_000
    clock.advance(49_999)
    pace.arrived(0)
    assert pace.due_in_us() == 1  # counted from the first, not the last
    clock.advance(1)
    assert pace.due_in_us() == 0


def test_half_the_window_is_due_at_once(clock: FakeClock) -> None:
    pace = CommitPace(clock)
    pace.window(100)
    pace.arrived(49)
    assert pace.due_in_us() == 50_000
    assert not pace.urgent
    pace.arrived(1)
    assert pace.due_in_us() == 0
    assert pace.urgent


def test_unknown_window_is_due_after_five_quiet_milliseconds(clock: FakeClock) -> None:
    pace = CommitPace(clock)
    pace.window(None)
    pace.arrived(1)
    clock.advance(4_000)
    pace.arrived(0)
    assert pace.due_in_us() == 5_000
    clock.advance(5_000)
    assert pace.due_in_us() == 0


def test_unknown_window_that_is_never_quiet_is_due_after_fifty_milliseconds(clock: FakeClock) -> None:
    pace = CommitPace(clock)
    pace.window(None)
    for _ in range(10):
        pace.arrived(1)
        clock.advance(4_999)
    pace.arrived(1)
    assert pace.due_in_us() == 10


def test_where_a_window_may_be_full_a_silence_of_four_times_their_distance_is_enough(clock: FakeClock) -> None:
    pace = CommitPace(clock)
    for number in range(20):
        pace.arrived(1)
        assert pace.due_in_us() == (5_000 if number < 9 else 2_000)
        clock.advance(500)
    for _ in range(20):
        pace.arrived(10)
    assert pace.due_in_us() == 500
    clock.advance(500)
    assert pace.due_in_us() == 0


def test_known_window_does_not_commit_for_silence(clock: FakeClock) -> None:
    pace = CommitPace(clock)
    pace.window(65_535)
    pace.arrived(1)
    clock.advance(10_000)
    assert pace.due_in_us() == 40_000


def fall_silent(pace: CommitPace, clock: FakeClock, number: int) -> None:
    pace.arrived(number)
    clock.advance(50_000)
    assert pace.due_in_us() == 0
    pace.waiting(None, 0)


@pytest.mark.parametrize("window", [None, 65_535])
def test_where_the_broker_falls_silent_at_the_same_number_it_waits_for_us_and_that_many_are_due_at_once(
    clock: FakeClock, window: int | None
) -> None:
    pace = CommitPace(clock)
    pace.window(window)
    for _ in range(3):
        fall_silent(pace, clock, 20)
    assert pace.narrow
    pace.arrived(19)
    assert pace.due_in_us() == (500 if window is None else 50_000)
    assert not pace.urgent
    pace.arrived(1)
    assert pace.due_in_us() == 0
    assert pace.urgent


def test_another_number_is_no_limit_and_a_larger_one_disproves_it(clock: FakeClock) -> None:
    pace = CommitPace(clock)
    pace.window(65_535)
    for number in (20, 20, 19, 20, 20):
        fall_silent(pace, clock, number)
    assert not pace.narrow
    fall_silent(pace, clock, 20)
    assert pace.narrow
    pace.arrived(21)
    assert not pace.narrow
    assert pace.due_in_us() == 50_000


def test_what_is_taken_in_full_flow_says_nothing_of_a_limit(clock: FakeClock) -> None:
    pace = CommitPace(clock)
    pace.window(65_535)
    for _ in range(9):
        pace.arrived(20)
        clock.advance(4_999)
        pace.waiting(None, 0)
    assert not pace.narrow


def test_another_connection_has_another_limit(clock: FakeClock) -> None:
    pace = CommitPace(clock)
    for _ in range(3):
        fall_silent(pace, clock, 20)
    pace.window(65_535)
    assert not pace.narrow


def test_slow_commits_stretch_the_wait_up_to_two_hundred_milliseconds(clock: FakeClock) -> None:
    pace = CommitPace(clock)
    pace.commit_took(8_000)
    assert pace.longest_wait_us == 50_000
    for _ in range(40):
        pace.commit_took(60_000)
    assert 115_000 < pace.longest_wait_us <= 120_000
    for _ in range(40):
        pace.commit_took(3_000_000)
    assert pace.longest_wait_us == 200_000
    for _ in range(40):
        pace.commit_took(8_000)
    assert pace.longest_wait_us == 50_000


def test_what_still_waits_sets_the_time(clock: FakeClock) -> None:
    pace = CommitPace(clock)
    pace.arrived(3)
    clock.advance(60_000)
    pace.waiting(clock.monotonic_us() - 20_000, 0)
    assert pace.due_in_us() == 30_000
    pace.waiting(None, 0)
    assert pace.due_in_us() is None
