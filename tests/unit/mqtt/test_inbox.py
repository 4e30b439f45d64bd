import threading

from models.domain.clock import SystemClock
from models.domain.messages import Origin, RawMessage
from mqtt.inbox import MESSAGE_OVERHEAD_BYTES, Inbox, InboxLimits, weight
from tests.helpers.clock import FakeClock


def message(number: int, qos: int = 1, size: int = 10) -> RawMessage:
    payload = str(number).encode().ljust(size)
    return RawMessage(b"t", payload, qos, False, False, number if qos else 0, None, 1, Origin.LIVE, 1)


def numbers(messages: list[RawMessage]) -> list[int]:
    return [int(one.payload) for one in messages]


def due(clock: FakeClock) -> None:
    clock.advance(50_000)


def test_gives_out_in_the_order_of_arrival(clock: FakeClock) -> None:
    inbox = Inbox(clock)
    inbox.put([message(1), message(2, qos=0)])
    inbox.put([message(3)])
    due(clock)
    assert numbers(inbox.take()) == [1, 2, 3]


def test_takes_no_more_than_the_limit_and_the_rest_is_due_at_once(clock: FakeClock) -> None:
    inbox = Inbox(clock, InboxLimits(take_messages=3))
    for first in (1, 3, 5):
        inbox.put([message(first), message(first + 1)])
    due(clock)
    assert numbers(inbox.take()) == [1, 2]
    assert numbers(inbox.take()) == [3, 4]
    assert numbers(inbox.take()) == [5, 6]
    assert inbox.counters().waiting == 0


def test_bytes_limit_what_is_taken(clock: FakeClock) -> None:
    inbox = Inbox(clock, InboxLimits(take_bytes=2_500))
    for number in range(3):
        inbox.put([message(number, size=1_000)])
    due(clock)
    assert numbers(inbox.take()) == [0]
    assert inbox.counters().waiting_bytes == 2 * (1_001 + MESSAGE_OVERHEAD_BYTES)


def test_qos_0_beyond_the_limit_goes_oldest_first_and_is_counted_and_qos_1_stays(clock: FakeClock) -> None:
    inbox = Inbox(clock, InboxLimits(waiting_messages=8))
    for number in range(8):
        inbox.put([message(number, qos=number % 2)])
    assert inbox.counters().dropped == 0
    inbox.put([message(8, qos=0)])
    counters = inbox.counters()
    assert (counters.received, counters.dropped, counters.waiting) == (9, 2, 7)
    due(clock)
    assert numbers(inbox.take()) == [1, 3, 4, 5, 6, 7, 8]
    assert inbox.counters().waiting_bytes == 0


def test_only_qos_1_is_never_dropped(clock: FakeClock) -> None:
    inbox = Inbox(clock, InboxLimits(waiting_bytes=weight(message(0)) * 2))
    inbox.put([message(number) for number in range(10)])
    assert inbox.counters().dropped == 0
    assert inbox.counters().waiting == 10


def test_qos_1_beyond_the_limit_fills_it_until_all_is_dealt_with(clock: FakeClock) -> None:
    inbox = Inbox(clock, InboxLimits(waiting_messages=4, take_messages=2, idle_us=0))
    for first in (0, 2):
        inbox.put([message(first), message(first + 1)])
    assert not inbox.full
    inbox.put([message(4), message(5, qos=0)])
    assert inbox.full
    due(clock)
    for _ in range(3):
        inbox.take()
        assert inbox.full, "what was taken last is not dealt with yet"
    assert inbox.take() == []
    assert not inbox.full
    inbox.fill()
    assert inbox.full
    inbox.take()
    assert not inbox.full


def test_qos_0_alone_never_fills_it(clock: FakeClock) -> None:
    inbox = Inbox(clock, InboxLimits(waiting_messages=4))
    inbox.put([message(number, qos=0) for number in range(9)])
    assert not inbox.full


def test_one_list_may_lose_a_part(clock: FakeClock) -> None:
    inbox = Inbox(clock, InboxLimits(waiting_messages=16))
    inbox.put([message(number, qos=0) for number in range(20)])
    due(clock)
    assert numbers(inbox.take()) == list(range(6, 20))
    assert inbox.counters().dropped == 6
    assert inbox.counters().highest_waiting == 14


def test_bytes_bound_a_flood(clock: FakeClock) -> None:
    inbox = Inbox(clock, InboxLimits(waiting_bytes=100_000))
    for number in range(1_000):
        inbox.put([message(number, qos=0, size=1_000)])
        assert inbox.counters().waiting_bytes <= 100_000
    counters = inbox.counters()
    assert counters.received == 1_000 == counters.dropped + counters.waiting


def test_lag_is_the_age_of_what_is_not_dealt_with(clock: FakeClock) -> None:
    inbox = Inbox(clock, InboxLimits(idle_us=0))
    assert inbox.counters().lag_us == 0
    inbox.put([message(1)])
    clock.advance(60_000)
    assert inbox.counters().lag_us == 60_000
    inbox.take()
    clock.advance(10_000)
    assert inbox.counters().lag_us == 70_000  # taken, not yet stored
    assert inbox.take() == []
    assert inbox.counters().lag_us == 0


def test_idle_time_ends_with_nothing() -> None:
    inbox = Inbox(SystemClock(), InboxLimits(idle_us=1_000))
    assert inbox.take() == []


def test_half_a_window_wakes_who_waits() -> None:
    """Without the rule the taker would stay until the idle time, far beyond the limit of the join."""
    clock = FakeClock()
    inbox = Inbox(clock, InboxLimits(idle_us=600_000_000))
    inbox.begin_epoch(window=4)
    taken: list[list[RawMessage]] = []
    taker = threading.Thread(target=lambda: taken.append(inbox.take()))
    taker.start()
    inbox.put([message(1), message(2)])
    taker.join(timeout=20)
    assert [numbers(one) for one in taken] == [[1, 2]]


def test_what_makes_the_silence_shorter_wakes_who_waits() -> None:
    """Else who waits since the first message would sleep five milliseconds, however many come after it."""
    clock = FakeClock()
    inbox = Inbox(clock)
    woken = []
    inbox._changed.notify_all = lambda: woken.append(inbox.counters().waiting)  # type: ignore[method-assign]
    for number in range(1, 30):
        inbox.put([message(number)])
    assert woken == [1, 10]


def test_closing_wakes_whoever_waits() -> None:
    inbox = Inbox(FakeClock(), InboxLimits(idle_us=600_000_000))
    taken: list[list[RawMessage]] = []
    taker = threading.Thread(target=lambda: taken.append(inbox.take()))
    taker.start()
    inbox.close()
    taker.join(timeout=20)
    assert taken == [[]]


def test_a_closed_one_gives_out_what_waits_and_takes_nothing_more() -> None:
    inbox = Inbox(FakeClock(), InboxLimits(idle_us=600_000_000))
    assert inbox.put([message(1)])
    inbox.close()
    assert not inbox.put([message(2)])
    assert numbers(inbox.take()) == [1]
    assert inbox.take() == []


def test_epochs_are_unique_over_all_connections(clock: FakeClock) -> None:
    inbox = Inbox(clock)
    assert [inbox.begin_epoch(None), inbox.begin_epoch(65_535), inbox.begin_epoch(None)] == [1, 2, 3]


def test_a_poke_ends_the_wait_but_takes_nothing_before_it_is_due(clock: FakeClock) -> None:
    inbox = Inbox(clock, InboxLimits(idle_us=60_000_000))
    inbox.put([message(1)])
    taken: list[list[int]] = []
    taker = threading.Thread(target=lambda: taken.append(numbers(inbox.take())))
    inbox.poke()
    taker.start()
    taker.join(20)
    assert taken == [[]]
    clock.advance(50_000)
    assert numbers(inbox.take()) == [1]


def test_a_poke_does_not_keep_back_what_is_due(clock: FakeClock) -> None:
    inbox = Inbox(clock)
    inbox.put([message(1)])
    due(clock)
    inbox.poke()
    assert numbers(inbox.take()) == [1]
    assert inbox.take() == []
