"""Sequences in which tasks were once lost, sent twice, or said to stand as they did not."""

from models.domain.presence_words import Presence
from models.domain.records import TaskState
from models.domain.tasks.board import SPARE
from models.domain.tasks.engine import LONGEST_BACKOFF_US, Engine
from models.domain.tasks.orders import Fan, Gather
from models.domain.tasks.roster import Roster
from models.domain.tasks.work import QUIET_US, Reason
from tests.unit.tasks.test_engine import Desk, S


def forgotten(desk, work):
    """Asked after it, its agent does not know it."""
    while desk.sent[-1].kind != "inquiry":
        desk.later(QUIET_US)
    desk.do("missing", work.order.id, work.agent, work.attempt)


def test_cancelled_before_it_left_it_is_not_sent():
    desk = Desk("a")
    work = desk.give()
    desk.do("cancel", work.order.id)
    desk.engine.link_down()
    desk.do("unsent", work.order.id, 1)
    desk.do("link_up")
    assert desk.messages(work).count(("task", "a", 1)) == 1, (desk.messages(work), work.state, work.attempt)


def test_what_waited_for_room_is_served_after_the_connection_broke():
    desk = Desk()
    desk.engine.limit("quiet", 1, desk.now_us)
    one, two = desk.give(to=("quiet",)), desk.give(to=("quiet",))
    assert two.reason is Reason.BUSY
    desk.engine.link_down()
    desk.told(one, TaskState.COMPLETED)
    desk.do("link_up")
    desk.do("settle")
    desk.later(600 * S)
    assert two.agent == "quiet", (two.state, two.reason)


def test_one_that_was_found_again_dies_with_its_agent():
    desk = Desk()
    desk.come("a", "sum", "inquiry")
    work = desk.give()
    desk.engine.receipt(work.order.id, 1, desk.now_us)
    forgotten(desk, work)
    desk.told(work, TaskState.WORKING, attempt=1)
    assert work.order.id in desk.engine.roster.worker("a").holds
    desk.is_("a", Presence.OFFLINE)
    assert work.ended, (work.state, work.reason)


def test_cancelled_while_nobody_knows_it_comes_to_an_end():
    desk = Desk()
    desk.come("a", "sum", "inquiry")
    work = desk.give()
    desk.engine.receipt(work.order.id, 1, desk.now_us)
    desk.later(31 * S)
    forgotten(desk, work)
    desk.later(31 * S)
    forgotten(desk, work)
    desk.do("cancel", work.order.id)
    before = len(desk.messages(work))
    for _ in range(100):
        desk.later(10 * S)
    assert work.ended or len(desk.messages(work)) > before, (work.state, desk.messages(work))


def test_parts_of_a_copied_whole_are_tried_again():
    desk = Desk("a", "b")
    whole = desk.give(fan=Fan.EACH, to=("a", "b"))
    parts = [w for w in desk.works.values() if w.order.parent]
    desk.do("leave_alone")
    desk.engine.retry(whole, parts, desk.now_us)
    desk.take()
    assert all(desk.engine.open_task(p.order.id) for p in parts), [(p.state, p.reason) for p in parts]


def test_an_end_that_is_told_twice_is_no_strangers():
    desk = Desk("a")
    work = desk.give(attempts=2)
    desk.told(work, TaskState.FAILED, attempt=1, error="x")  # report
    desk.told(work, TaskState.FAILED, "a", attempt=1, error="x")  # answer to our inbox, as both libraries send
    assert Reason.STRANGER not in desk.reasons(work)


def test_what_is_not_needed_ends_so():
    desk = Desk("a", "b")
    desk.give(fan=Fan.EACH, to=("a", "b"), gather=Gather.FIRST)
    one, two = [w for w in desk.works.values() if w.order.parent]
    desk.told(one, TaskState.COMPLETED, result="1")
    desk.told(two, TaskState.CANCELED)
    assert two.reason is Reason.NOT_NEEDED, two.reason


def test_completed_after_all_by_who_had_it_before_a_retry():
    desk = Desk()
    desk.come("a", "sum", "inquiry")
    work = desk.give()
    desk.engine.receipt(work.order.id, 1, desk.now_us)
    forgotten(desk, work)
    desk.come("b")
    desk.engine.limit("a", 1, desk.now_us)
    desk.give(to=("a",))
    desk.engine.retry(work, (), desk.now_us)
    desk.take()
    assert work.agent == "b"
    desk.told(work, TaskState.COMPLETED, "a", attempt=1, result="1")
    assert work.state is TaskState.COMPLETED, work.state


def test_the_time_to_ask_survives_a_clearing_up():
    desk = Desk()
    desk.come("a", "sum", "inquiry")
    work = desk.give()
    desk.engine.receipt(work.order.id, 1, desk.now_us)
    work.ask_us = 0  # as after a restart, or once asked while unknown
    board = desk.engine._board
    board._times = [(desk.now_us - 1 + i, "gone") for i in range(SPARE + 4 * len(board.open))]
    desk.told(work, TaskState.WORKING, attempt=1)
    assert any(id_ == work.order.id for _, id_ in board._times)


def test_asked_once_means_that_somebody_was_asked():
    desk = Desk()
    desk.come("a", "sum", "inquiry")
    work = desk.give()
    desk.engine.receipt(work.order.id, 1, desk.now_us, lost=True)
    desk.do("settle")
    assert work.state is TaskState.UNKNOWN
    desk.is_("a", Presence.OFFLINE)
    desk.later(4 * S)
    desk.is_("a", Presence.ONLINE)
    for _ in range(50):
        desk.later(10 * S)
    assert ("inquiry", "a", 1) in desk.messages(work)


def test_completed_after_all_by_who_was_sent_it_twice():
    desk = Desk("a", "b")
    work = desk.give(idempotent=True)
    first = work.agent
    desk.engine.receipt(work.order.id, 1, desk.now_us, lost=True)
    desk.do("settle")  # sent again
    desk.engine.link_down()
    desk.do("unsent", work.order.id, 1)
    desk.engine.roster.worker(first).most = 1
    desk.engine.roster.worker(first).holds.add("other")
    desk.do("link_up")
    assert work.agent != first
    desk.told(work, TaskState.COMPLETED, first, attempt=1)
    assert work.state is TaskState.COMPLETED, (work.state, desk.reasons(work))


def test_what_its_agent_forgot_begins_anew():
    desk = Desk()
    desk.come("a", "sum", "inquiry")
    work = desk.give(idempotent=True)
    desk.told(work, TaskState.INPUT_REQUIRED, attempt=1, result="which?")
    forgotten(desk, work)
    assert work.state is TaskState.SUBMITTED, (work.state, work.result)


def test_a_copied_whole_that_is_tried_again_can_be_cancelled():
    desk = Desk("a", "b")
    whole = desk.give(fan=Fan.EACH, to=("a", "b"))
    parts = [w for w in desk.works.values() if w.order.parent]
    desk.do("leave_alone")
    desk.engine.retry(whole, parts, desk.now_us)
    desk.take()
    desk.do("cancel", whole.order.id)


def test_a_whole_whose_last_part_ended_as_we_did_ends():
    desk = Desk("a", "b")
    whole = desk.give(fan=Fan.EACH, to=("a", "b"))
    parts = [w for w in desk.works.values() if w.order.parent]
    for one in parts:
        one.state, one.ended_us = TaskState.COMPLETED, desk.now_us
    again = Engine(Roster())
    again.restore([whole, *parts])
    again.link_up(desk.now_us)
    again.settle(desk.now_us)
    again.tick(desk.now_us + 1000 * S)
    again.changes()
    assert whole.ended


def test_who_was_gone_before_the_connection_broke_is_sent_nothing():
    desk = Desk("a")
    desk.is_("a", Presence.OFFLINE)
    desk.engine.link_down()
    desk.is_("a", Presence.UNKNOWN)  # domain/presence.py link_down: of everybody
    work = desk.give(to=("a",))
    desk.do("link_up")
    desk.is_("a", Presence.OFFLINE)  # its retained status comes
    assert not work.ended, (work.state, work.reason, desk.messages(work))


def test_cancelled_at_an_agent_that_is_gone_it_is_over():
    """Cancel while UNKNOWN at an agent that is gone."""
    desk = Desk("a")
    work = desk.give()
    desk.engine.receipt(work.order.id, 1, desk.now_us, lost=True)
    desk.do("settle")
    desk.is_("a", Presence.OFFLINE)
    desk.do("cancel", work.order.id)
    desk.later(3600 * S)
    desk.do("link_up")
    desk.do("settle")
    desk.later(3600 * S)
    assert work.ended, (work.state, work.reason)


def test_sent_again_after_a_restart_it_is_asked_after():
    desk = Desk()
    desk.come("a", "sum", "inquiry")
    work = desk.give(idempotent=True)  # killed while it is being sent
    new = Desk(connected=False)
    new.now_us = desk.now_us
    new.engine.meet("a", ("sum", "inquiry"), new.now_us)
    new.engine.restore([work])
    new.do("link_up")
    new.is_("a", Presence.ONLINE)
    new.do("settle")
    assert new.messages(work) == [("task", "a", 1)]
    new.engine.receipt(work.order.id, 1, new.now_us)
    new.told(work, TaskState.SUBMITTED, attempt=1)  # our own message
    for _ in range(100):
        new.later(10 * S)
    assert ("inquiry", "a", 1) in new.messages(work), (work.state, work.ask_us, new.engine.next_us)


def test_who_was_not_asked_and_says_no_changes_nothing():
    desk = Desk()
    desk.come("a", "sum", "inquiry")
    work = desk.give(idempotent=True)
    desk.engine.receipt(work.order.id, 1, desk.now_us)
    for _ in range(100):
        desk.do("missing", work.order.id, "a", 1)
    assert len(desk.messages(work)) <= 2, len(desk.messages(work))


def test_a_clock_set_back_while_we_were_away_delays_nothing_for_long():
    desk = Desk("a")
    work = desk.give(attempts=2)
    desk.told(work, TaskState.FAILED)
    again = Engine(Roster())
    now_us = desk.now_us - 86_400 * S
    again.restore([work], now_us)
    assert again.next_us - now_us <= LONGEST_BACKOFF_US
