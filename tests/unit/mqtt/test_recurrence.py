import pytest

from mqtt.link import LinkEnd
from mqtt.recurrence import Pattern, Recurrence

RESUMED = LinkEnd(None, True, up_us=1_000_000, hung_up=True, session_present=True)
FORGOTTEN = LinkEnd(None, True, up_us=1_000_000, hung_up=True)
MALFORMED = LinkEnd(None, True, up_us=0, session_present=True, malformed=True)
NOBODY = LinkEnd(None, nobody=True)


def patterns(*ends: LinkEnd, forgotten: bool = False) -> list[Pattern | None]:
    seen = Recurrence()
    return [seen.see(one, forgotten=forgotten) for one in ends]


def test_a_session_that_is_there_and_cut_three_times_is_taken_over() -> None:
    assert patterns(*[RESUMED] * 3) == [None, None, Pattern.TAKEN_OVER]


def test_a_session_that_is_forgotten_and_cut_four_times_is_taken_over() -> None:
    assert patterns(*[FORGOTTEN] * 4, forgotten=True) == [None, None, None, Pattern.TAKEN_OVER]
    slow = FORGOTTEN._replace(up_us=30_000_000)
    assert patterns(*[slow] * 4, forgotten=True)[-1] is Pattern.TAKEN_OVER


@pytest.mark.parametrize(
    "end", [RESUMED._replace(up_us=10_000_000), RESUMED._replace(hung_up=False), FORGOTTEN, NOBODY]
)
def test_other_ends_prove_nothing(end: LinkEnd) -> None:
    assert patterns(*[end] * 9) == [None] * 9


def test_a_broker_that_restarts_is_not_suspected() -> None:
    """It is away for a moment between, or it answers for minutes."""
    assert set(patterns(*[FORGOTTEN, NOBODY] * 9, forgotten=True)) == {None}
    assert set(patterns(*[FORGOTTEN._replace(up_us=120_000_000)] * 9, forgotten=True)) == {None}


def test_a_resumed_session_that_begins_with_no_mqtt_three_times_is_malformed() -> None:
    assert patterns(*[MALFORMED] * 3) == [None, None, Pattern.MALFORMED]
    assert set(patterns(*[MALFORMED._replace(session_present=False)] * 9)) == {None}


def test_whoever_acts_begins_the_count_anew() -> None:
    seen = Recurrence()
    for _ in range(2):
        seen.see(RESUMED, forgotten=False)
    seen.reset()
    assert seen.see(RESUMED, forgotten=False) is None
