import pytest

from app.recorder.jobs import Jobs
from tests.helpers.clock import FakeClock


def test_one_at_a_time_in_their_order(clock: FakeClock) -> None:
    jobs = Jobs(clock)
    done = [jobs.ask(lambda n=n: n) for n in range(3)]
    assert [one.done() for one in done] == [False] * 3
    assert jobs.carry_out_one(waited_for=False)
    assert [one.done() for one in done] == [True, False, False]
    jobs.carry_out_all()
    assert [one.result() for one in done] == [0, 1, 2]
    assert not jobs.carry_out_one(waited_for=False)


def test_what_a_job_raises_is_raised_where_it_was_asked_for(clock: FakeClock) -> None:
    jobs = Jobs(clock)
    failed = jobs.ask(lambda: 1 // 0)
    jobs.carry_out_one(waited_for=False)
    with pytest.raises(ZeroDivisionError):
        failed.result()


def test_a_broker_that_waits_for_us_gets_three_times_as_long(clock: FakeClock) -> None:
    jobs = Jobs(clock)
    took = [jobs.ask(lambda: clock.advance(10_000)) for _ in range(3)]
    jobs.carry_out_one(waited_for=True)
    for _ in range(3):
        assert not jobs.carry_out_one(waited_for=True)
        assert not took[1].done()
        clock.advance(10_000)
    jobs.carry_out_one(waited_for=False)
    assert took[1].done()
    jobs.carry_out_one(waited_for=False)  # nobody waits: at once
    assert took[2].done()
