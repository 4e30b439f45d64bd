"""What becomes of delegated tasks, state by state."""

import json
from dataclasses import replace

import pytest

from models.domain.presence_words import Presence
from models.domain.problems import EnvironmentProblem
from models.domain.records import TaskState
from models.domain.tasks.board import SPARE
from models.domain.tasks.doubt import SETTLED_QUIET_US
from models.domain.tasks.engine import LONGEST_BACKOFF_US, Engine
from models.domain.tasks.orders import Fan, Gather, TaskOrder, new_task_id
from models.domain.tasks.roster import Roster
from models.domain.tasks.work import QUIET_US, Reason, Sending, Told

S = 1_000_000


class Desk:
    """An engine, with what it wanted stored and sent so far."""

    def __init__(self, *agents, connected=True):
        self.now_us = 1_000 * S
        self.engine = Engine(Roster())
        self.works, self.steps, self.sent = {}, [], []
        if connected:
            self.engine.link_up(self.now_us)
        for agent in agents:
            self.come(agent)

    def come(self, agent, *capabilities):
        self.engine.meet(agent, capabilities or ("sum",), self.now_us)
        self.is_(agent, Presence.ONLINE)

    def is_(self, agent, presence):
        self.engine.presence(agent, presence, self.now_us)
        self.take()

    def give(self, kind="sum", *, id_=None, **fields):
        order = TaskOrder(id_ or new_task_id(), kind, **fields)
        self.engine.submit(order, self.now_us)
        self.take()
        return self.works[order.id]

    def take(self):
        changes = self.engine.changes()
        self.works |= changes.works
        self.steps += changes.steps
        self.sent += changes.dispatches
        return changes

    def told(self, work, state, agent=None, attempt=0, **more):
        told = Told(agent or work.agent, work.order.id, state, attempt, **more)
        self.engine.told(told, self.now_us)
        self.take()

    def later(self, us):
        self.now_us += us
        self.engine.tick(self.now_us)
        self.take()

    def do(self, what, *arguments):
        getattr(self.engine, what)(*arguments, self.now_us)
        self.take()

    def reasons(self, work):
        return [one.reason for one in self.steps if one.task == work.order.id]

    def messages(self, work):
        return [(one.kind, one.agent, one.attempt) for one in self.sent if one.work is work]


def stands(work):
    return work.state, work.reason


def test_it_is_stored_as_being_sent_before_it_is_sent():
    desk = Desk("a")
    desk.engine.submit(TaskOrder("t", "sum"), desk.now_us)
    changes = desk.engine.changes()
    assert changes.works["t"].sending is Sending.SENDING
    assert [(one.kind, one.agent) for one in changes.dispatches] == [("task", "a")]


def test_from_submission_to_result():
    desk = Desk("a")
    work = desk.give()
    desk.engine.receipt(work.order.id, 1, desk.now_us)
    assert work.sending is Sending.ACKNOWLEDGED
    desk.told(work, TaskState.WORKING, progress=0.5, time_us=desk.now_us)
    assert (work.state, work.progress, work.started_us) == (TaskState.WORKING, 0.5, desk.now_us)
    desk.told(work, TaskState.COMPLETED, result="42")
    assert (*stands(work), work.result, work.progress) == (TaskState.COMPLETED, Reason.NONE, "42", 1.0)


def test_given_twice_with_one_id_it_is_one_task():
    desk = Desk("a")
    work = desk.give(id_="t")
    desk.engine.submit(TaskOrder("t", "other"), desk.now_us)
    assert not desk.take().works
    desk.told(work, TaskState.COMPLETED)
    desk.engine.submit(TaskOrder("t", "other"), desk.now_us)
    assert not desk.take().works


class TestPlacing:
    def test_the_least_loaded_gets_it_then_who_fails_least(self):
        desk = Desk("a", "b")
        first, second = desk.give(), desk.give()
        assert {first.agent, second.agent} == {"a", "b"}
        desk.told(first, TaskState.FAILED)
        desk.told(second, TaskState.COMPLETED)
        assert desk.give().agent == second.agent

    def test_nobody_is_capable_until_somebody_comes(self):
        desk = Desk()
        work = desk.give()
        assert stands(work) == (TaskState.SUBMITTED, Reason.NOBODY)
        desk.come("a", "other")
        assert not work.agent
        desk.come("b", "sum")
        assert (work.agent, work.reason) == ("b", Reason.NONE)

    def test_who_says_it_is_capable_of_more_gets_what_waits(self):
        desk = Desk()
        work = desk.give("paint")
        desk.come("a", "sum")
        desk.engine.meet("a", ["sum", "paint"], desk.now_us)
        assert work.agent == "a"
        desk.engine.meet("a", ["sum"], desk.now_us)
        assert desk.give("paint").reason is Reason.NOBODY

    def test_a_named_agent_need_not_have_told_its_presence(self):
        assert Desk().give(to=("quiet",)).agent == "quiet"

    def test_a_named_agent_that_is_gone_is_waited_for(self):
        desk = Desk()
        desk.is_("a", Presence.OFFLINE)
        work = desk.give(to=("a",))
        assert work.reason is Reason.NOBODY
        desk.is_("a", Presence.ONLINE)
        assert work.agent == "a"

    def test_nobody_has_more_than_it_may(self):
        desk = Desk("a")
        desk.engine.limit("a", 1, desk.now_us)
        first, second = desk.give(), desk.give()
        assert stands(second) == (TaskState.SUBMITTED, Reason.BUSY)
        desk.told(first, TaskState.COMPLETED)
        assert (second.agent, second.reason) == ("a", Reason.NONE)

    def test_without_a_connection_nothing_is_tried(self):
        desk = Desk("a", connected=False)
        work = desk.give()
        assert not desk.sent
        desk.do("link_up")
        assert desk.messages(work) == [("task", "a", 1)]

    def test_what_was_not_sent_for_certain_does_not_count_as_tried(self):
        desk = Desk("a")
        work = desk.give()
        desk.engine.link_down()
        desk.do("unsent", work.order.id, 1)
        assert (work.attempt, work.agent) == (0, "")
        desk.do("link_up")
        assert work.attempt == 1


class TestTrials:
    def test_tried_again_after_a_growing_wait_then_kept(self):
        desk = Desk("a", "b")
        work = desk.give(attempts=3, backoff_us=2 * S)
        first = work.agent
        desk.told(work, TaskState.FAILED, error="no")
        assert (*stands(work), work.due_us) == (TaskState.SUBMITTED, Reason.FAILED, desk.now_us + 2 * S)
        desk.later(2 * S - 1)
        assert work.attempt == 1
        desk.later(1)
        assert work.attempt == 2
        assert work.agent != first
        desk.told(work, TaskState.FAILED, error="no")
        assert work.due_us == desk.now_us + 4 * S
        desk.later(4 * S)
        desk.told(work, TaskState.FAILED, error="never")
        assert (*stands(work), work.error) == (TaskState.FAILED, Reason.FAILED, "never")

    def test_no_wait_is_longer_than_five_minutes(self):
        desk = Desk("a")
        work = desk.give(attempts=50, backoff_us=S)
        for _ in range(40):
            desk.told(work, TaskState.FAILED)
            assert work.due_us - desk.now_us <= LONGEST_BACKOFF_US
            desk.later(LONGEST_BACKOFF_US)
        assert work.attempt == 41

    def test_whose_agent_dies_goes_to_another(self):
        desk = Desk("a", "b")
        work = desk.give(attempts=2)
        first = work.agent
        desk.is_(first, Presence.OFFLINE)
        assert work.reason is Reason.DIED
        desk.later(S)
        assert work.agent not in ("", first)

    def test_whose_agent_dies_ends_where_it_may_not_be_tried_again(self):
        desk = Desk("a", "b")
        work = desk.give()
        desk.is_(work.agent, Presence.OFFLINE)
        assert stands(work) == (TaskState.FAILED, Reason.DIED)

    def test_our_own_lost_link_is_nobodys_death(self):
        desk = Desk("a")
        work = desk.give()
        desk.is_("a", Presence.UNKNOWN)
        assert stands(work) == (TaskState.SUBMITTED, Reason.NONE)

    def test_rejected_by_the_agent_and_refused_by_the_broker(self):
        desk = Desk("a")
        work, other = desk.give(), desk.give()
        desk.told(work, TaskState.REJECTED, error="not mine")
        assert stands(work) == (TaskState.REJECTED, Reason.REJECTED)
        desk.engine.receipt(other.order.id, 1, desk.now_us, refused="Not authorized")
        assert (*stands(other), other.error) == (TaskState.FAILED, Reason.REFUSED, "Not authorized")

    def test_a_dead_letter_is_tried_once_more_by_hand(self):
        desk = Desk("a")
        work = desk.give()
        with pytest.raises(EnvironmentProblem):
            desk.engine.retry(work, (), desk.now_us)
        desk.told(work, TaskState.FAILED)
        desk.do("retry", work, ())
        assert (work.state, work.attempt, work.ended_us) == (TaskState.SUBMITTED, 2, 0)
        desk.told(work, TaskState.COMPLETED)
        assert work.state is TaskState.COMPLETED


class TestDeadline:
    def test_it_is_late_and_its_agent_is_told_to_stop(self):
        desk = Desk("a")
        work = desk.give(deadline_us=desk.now_us + 60 * S)
        desk.later(60 * S)
        assert stands(work) == (TaskState.FAILED, Reason.LATE)
        assert desk.messages(work) == [("task", "a", 1), ("cancel", "a", 1)]

    def test_nobody_came_in_time(self):
        desk = Desk()
        work = desk.give(deadline_us=desk.now_us + 60 * S)
        desk.later(60 * S)
        assert stands(work) == (TaskState.FAILED, Reason.NOBODY)

    def test_what_comes_after_the_end_is_noted_and_does_not_count(self):
        desk = Desk("a")
        work = desk.give(deadline_us=desk.now_us + 60 * S)
        desk.later(60 * S)
        desk.told(work, TaskState.COMPLETED, agent="a", result="42")
        assert stands(work) == (TaskState.FAILED, Reason.LATE)
        assert desk.reasons(work)[-1] is Reason.TOO_LATE


class TestAnswers:
    def test_told_twice_it_counts_once(self):
        desk = Desk("a")
        work = desk.give()
        desk.told(work, TaskState.COMPLETED, result="1")
        before = len(desk.steps)
        desk.told(work, TaskState.COMPLETED, result="2")
        assert (work.result, len(desk.steps)) == ("1", before)
        desk.told(work, TaskState.FAILED, agent="a")
        assert desk.reasons(work)[-1] is Reason.TOO_LATE

    def test_of_an_agent_that_does_not_have_it_nothing_counts(self):
        desk = Desk("a")
        work = desk.give()
        desk.told(work, TaskState.COMPLETED, agent="b", result="1")
        assert work.state is TaskState.SUBMITTED
        assert desk.reasons(work)[-1] is Reason.STRANGER

    def test_of_an_unknown_task_nothing_comes(self):
        desk = Desk("a")
        desk.engine.told(Told("a", "nobody's", TaskState.COMPLETED), desk.now_us)
        assert not desk.take().steps

    def test_an_attempt_that_was_given_up_may_complete_after_all(self):
        desk = Desk("a", "b")
        work = desk.give(attempts=2)
        first = work.agent
        desk.is_(first, Presence.OFFLINE)
        desk.later(S)
        second = work.agent
        desk.told(work, TaskState.COMPLETED, agent=first, attempt=1, result="1")
        assert (work.state, work.agent, work.result) == (TaskState.COMPLETED, first, "1")
        assert desk.messages(work)[-1] == ("cancel", second, 2)

    def test_it_asks_and_is_answered(self):
        desk = Desk("a")
        work = desk.give()
        with pytest.raises(EnvironmentProblem):
            desk.engine.answer(work.order.id, '"yes"', desk.now_us)
        desk.told(work, TaskState.INPUT_REQUIRED, result="may I?")
        desk.do("answer", work.order.id, '"yes"')
        assert desk.messages(work)[-1] == ("answer", "a", 1)
        desk.told(work, TaskState.WORKING)
        desk.told(work, TaskState.COMPLETED)
        assert work.state is TaskState.COMPLETED


class TestCancelling:
    def test_at_once_where_no_agent_has_it(self):
        desk = Desk()
        work = desk.give()
        desk.do("cancel", work.order.id)
        assert stands(work) == (TaskState.CANCELED, Reason.ASKED)
        assert not desk.messages(work)

    def test_its_agent_is_asked_and_a_second_time_ends_it(self):
        desk = Desk("a")
        work, other = desk.give(), desk.give()
        desk.do("cancel", work.order.id)
        assert work.state is TaskState.SUBMITTED
        assert desk.messages(work)[-1] == ("cancel", "a", 1)
        desk.told(work, TaskState.CANCELED)
        assert stands(work) == (TaskState.CANCELED, Reason.ASKED)
        for _ in range(2):
            desk.do("cancel", other.order.id)
        assert other.state is TaskState.CANCELED

    def test_whose_agent_dies_meanwhile_is_not_tried_again(self):
        desk = Desk("a", "b")
        work = desk.give(attempts=9)
        desk.do("cancel", work.order.id)
        desk.is_(work.agent, Presence.OFFLINE)
        assert stands(work) == (TaskState.CANCELED, Reason.ASKED)


class TestDoubt:
    def lost(self, desk, **fields):
        work = desk.give(**fields)
        desk.engine.receipt(work.order.id, 1, desk.now_us, lost=True)
        return work

    def test_found_in_what_was_recorded_it_was_sent(self):
        desk = Desk("a")
        work = self.lost(desk)
        desk.told(work, TaskState.SUBMITTED)
        desk.do("settle")
        assert (*stands(work), work.sending) == (TaskState.SUBMITTED, Reason.NONE, Sending.ACKNOWLEDGED)

    def test_not_found_nobody_knows_and_it_is_not_sent_again(self):
        desk = Desk("a")
        work = self.lost(desk)
        desk.do("settle")
        assert stands(work) == (TaskState.UNKNOWN, Reason.UNSURE)
        desk.do("settle")
        assert desk.messages(work) == [("task", "a", 1)]
        desk.told(work, TaskState.COMPLETED, result="1")
        assert work.state is TaskState.COMPLETED

    def test_what_may_be_sent_again_is_as_the_same_attempt_and_noted(self):
        desk = Desk("a")
        work = self.lost(desk, idempotent=True)
        desk.do("settle")
        assert desk.messages(work) == [("task", "a", 1)] * 2
        assert Reason.UNSURE in desk.reasons(work)

    def test_to_another_where_its_agent_is_gone(self):
        desk = Desk("a", "b")
        work = self.lost(desk, idempotent=True)
        first = work.agent
        desk.is_(first, Presence.OFFLINE)
        desk.do("settle")
        desk.later(S)
        assert work.agent not in ("", first)

    def test_after_a_crash_what_was_being_sent_is_in_doubt(self):
        before = Desk("a")
        work, waiting = before.give(), before.give("paint")
        desk = Desk("a", connected=False)
        desk.engine.restore([work, waiting])
        desk.do("link_up")
        desk.do("settle")
        assert stands(work) == (TaskState.UNKNOWN, Reason.UNSURE)
        desk.come("p", "paint")
        assert waiting.agent == "p"


class TestInquiry:
    """An agent says that it can be asked; what it told may have been lost on the way."""

    def given(self, **more):
        desk = Desk()
        desk.come("a", "sum", "inquiry")
        work = desk.give(**more)
        desk.engine.receipt(work.order.id, 1, desk.now_us)
        return desk, work

    def asked(self, desk, work):
        return [one for one in desk.messages(work) if one[0] == "inquiry"]

    def denies(self, desk, work, agent="a", attempt=1):
        """Asked, it says that it does not know it."""
        desk.later(QUIET_US)
        assert desk.messages(work)[-1] == ("inquiry", agent, attempt)
        desk.do("missing", work.order.id, agent, attempt)

    def test_whoever_tells_nothing_for_long_is_asked_again_and_again(self):
        desk, work = self.given()
        desk.later(QUIET_US - 1)
        assert self.asked(desk, work) == []
        desk.later(1)
        assert self.asked(desk, work) == [("inquiry", "a", 1)]
        desk.later(QUIET_US)
        assert len(self.asked(desk, work)) == 2
        assert work.state is TaskState.SUBMITTED, "a question changes nothing"

    def test_who_tells_is_not_asked(self):
        desk, work = self.given()
        for _ in range(5):
            desk.later(QUIET_US - S)
            desk.told(work, TaskState.WORKING)
        assert self.asked(desk, work) == []
        desk.later(QUIET_US)
        assert len(self.asked(desk, work)) == 1

    def test_who_cannot_be_asked_or_is_not_there_is_not(self):
        desk = Desk("a")
        work = desk.give()
        desk.later(10 * QUIET_US)
        assert self.asked(desk, work) == []
        desk, work = self.given()
        desk.engine.link_down()
        desk.later(QUIET_US)
        assert self.asked(desk, work) == []
        desk.do("link_up")
        desk.later(QUIET_US)
        assert len(self.asked(desk, work)) == 1

    def test_soon_after_we_were_away(self):
        desk, work = self.given()
        desk.do("settle")
        desk.later(SETTLED_QUIET_US - 1)
        assert self.asked(desk, work) == []
        desk.later(1)
        assert len(self.asked(desk, work)) == 1

    def test_who_came_after_it_was_sent_is_asked(self):
        desk = Desk()
        work = desk.give(to=("a",), idempotent=True)
        assert work.agent == "a", "whoever never told anything may be there all the same"
        desk.later(QUIET_US)
        desk.come("a", "sum", "inquiry")
        desk.later(SETTLED_QUIET_US)
        assert self.asked(desk, work) == [("inquiry", "a", 1)]
        desk.do("missing", work.order.id, "a", 1)
        assert desk.messages(work)[-1] == ("task", "a", 1)

    def test_one_that_it_does_not_know_is_sent_again_if_it_may_be(self):
        desk, work = self.given(idempotent=True)
        self.denies(desk, work)
        assert desk.messages(work) == [("task", "a", 1), ("inquiry", "a", 1), ("task", "a", 1)]
        assert stands(work) == (TaskState.SUBMITTED, Reason.NONE)
        assert desk.reasons(work)[-1] is Reason.UNSURE
        desk.told(work, TaskState.COMPLETED, attempt=1)
        assert work.state is TaskState.COMPLETED

    def test_else_nobody_knows_whether_it_was_done(self):
        desk, work = self.given()
        self.denies(desk, work)
        assert stands(work) == (TaskState.UNKNOWN, Reason.UNSURE)
        assert desk.messages(work) == [("task", "a", 1), ("inquiry", "a", 1)]
        other = desk.give()
        assert other.agent == "a", "its place is not kept"
        desk.told(work, TaskState.COMPLETED, attempt=1)
        assert work.state is TaskState.COMPLETED

    def test_of_what_nobody_knows_it_is_asked_once(self):
        desk, work = self.given()
        desk.engine.receipt(work.order.id, 1, desk.now_us)
        work.sending = Sending.UNKNOWN
        desk.do("settle")
        assert stands(work) == (TaskState.UNKNOWN, Reason.UNSURE)
        for _ in range(3):
            desk.later(QUIET_US)
        assert len(self.asked(desk, work)) == 1
        desk.told(work, TaskState.WORKING, attempt=1)
        assert work.state is TaskState.WORKING

    def test_one_that_is_to_stop_and_that_it_does_not_know_has_stopped(self):
        desk, work = self.given(idempotent=True)
        desk.do("cancel", work.order.id)
        desk.later(SETTLED_QUIET_US)
        desk.do("missing", work.order.id, "a", 1)
        assert stands(work) == (TaskState.CANCELED, Reason.ASKED)

    def test_an_answer_of_an_earlier_attempt_says_nothing_of_this_one(self):
        desk, work = self.given(idempotent=True, attempts=2)
        desk.told(work, TaskState.FAILED)
        desk.later(S)
        sent = desk.messages(work)
        desk.do("missing", work.order.id, "a", 1)
        assert (desk.messages(work), work.state) == (sent, TaskState.SUBMITTED)

    def test_a_clock_that_was_set_back_puts_the_question_off_by_nothing(self):
        desk, work = self.given()
        desk.now_us -= 500 * S
        desk.engine.set_back(500 * S)
        desk.later(QUIET_US)
        assert len(self.asked(desk, work)) == 1


class TestParts:
    def parts(self, desk, whole):
        return [one for one in desk.works.values() if one.order.parent == whole.order.id]

    def each(self, desk, gather=Gather.ALL, n=3, **more):
        names = tuple("abcde"[:n])
        for name in names:
            desk.come(name)
        whole = desk.give(fan=Fan.EACH, gather=gather, **more)
        return whole, sorted(self.parts(desk, whole), key=lambda one: one.agent)

    def test_a_task_for_each_that_is_capable(self):
        desk = Desk()
        whole, parts = self.each(desk)
        assert [one.agent for one in parts] == ["a", "b", "c"]
        for number, one in enumerate(parts):
            desk.told(one, TaskState.COMPLETED, result=str(number))
            assert whole.progress == pytest.approx((number + 1) / 3)
        assert whole.state is TaskState.COMPLETED
        assert sorted(one["result"] for one in json.loads(whole.result)) == [0, 1, 2]

    def test_one_that_fails_fails_the_whole_at_its_end(self):
        desk = Desk()
        whole, parts = self.each(desk)
        desk.told(parts[0], TaskState.FAILED)
        assert not whole.ended
        for one in parts[1:]:
            desk.told(one, TaskState.COMPLETED, result="1")
        assert stands(whole) == (TaskState.FAILED, Reason.PARTS)
        assert len(json.loads(whole.result)) == 2
        desk.do("retry", whole, parts)
        assert parts[0].attempt == 2
        desk.told(parts[0], TaskState.COMPLETED, result="1")
        assert whole.state is TaskState.COMPLETED

    def test_the_first_is_enough(self):
        desk = Desk()
        whole, parts = self.each(desk, Gather.FIRST)
        desk.told(parts[1], TaskState.COMPLETED, result="7")
        assert (whole.state, whole.result) == (TaskState.COMPLETED, "7")
        assert [one.cancel_us > 0 for one in parts] == [True, False, True]

    def test_the_majority_decides(self):
        desk = Desk()
        whole, parts = self.each(desk, Gather.MAJORITY, 5)
        for one, result in zip(parts, ('{"a":1,"b":2}', "3", '{"b": 2, "a": 1}', '{"a":1,"b":2}'), strict=False):
            assert not whole.ended
            desk.told(one, TaskState.COMPLETED, result=result)
        assert (whole.state, json.loads(whole.result)) == (TaskState.COMPLETED, {"a": 1, "b": 2})

    def test_no_majority_is_left_to_be_reached(self):
        desk = Desk()
        whole, parts = self.each(desk, Gather.MAJORITY, 3)
        desk.told(parts[0], TaskState.COMPLETED, result="1")
        desk.told(parts[1], TaskState.COMPLETED, result="2")
        assert not whole.ended
        desk.told(parts[2], TaskState.FAILED)
        assert stands(whole) == (TaskState.FAILED, Reason.PARTS)

    def test_objects_are_merged(self):
        desk = Desk()
        whole, parts = self.each(desk, Gather.MERGED, 2)
        desk.told(parts[0], TaskState.COMPLETED, result='{"found": [1], "by": {"a": 1}}')
        desk.told(parts[1], TaskState.COMPLETED, result='{"found": [2], "by": {"b": 2}}')
        assert json.loads(whole.result) == {"found": [1, 2], "by": {"a": 1, "b": 2}}

    def test_cancelled_as_a_whole(self):
        desk = Desk()
        whole, parts = self.each(desk)
        desk.told(parts[0], TaskState.COMPLETED)
        desk.do("cancel", whole.order.id)
        for one in parts[1:]:
            desk.told(one, TaskState.CANCELED)
        assert stands(whole) == (TaskState.CANCELED, Reason.ASKED)

    def test_late_as_a_whole(self):
        desk = Desk()
        whole, parts = self.each(desk, deadline_us=desk.now_us + S)
        desk.later(S)
        assert {stands(one) for one in (whole, *parts)} == {(TaskState.FAILED, Reason.LATE)}

    def test_nobody_capable_waits_for_the_first(self):
        desk = Desk()
        whole = desk.give(fan=Fan.EACH)
        assert whole.reason is Reason.NOBODY
        desk.come("a")
        assert [one.agent for one in self.parts(desk, whole)] == ["a"]

    def test_a_circle_is_refused(self):
        desk = Desk("a")
        desk.give(id_="child", parent="parent")
        with pytest.raises(EnvironmentProblem) as refused:
            desk.give(id_="parent", parent="child")
        assert refused.value.problem.code == "task.order"

    def test_after_a_crash_parts_that_ended_still_count(self):
        before = Desk()
        whole, parts = self.each(before)
        before.told(parts[0], TaskState.COMPLETED, result="0")
        desk = Desk(connected=False)
        desk.engine.restore([whole, *parts])
        desk.do("link_up")
        for one in parts[1:]:
            desk.told(one, TaskState.COMPLETED, result="1")
        assert whole.state is TaskState.COMPLETED
        assert len(json.loads(whole.result)) == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"type": ""}, {"type": "a\nb"}, {"to": ("a/+",)}, {"to": ("a", "a")}, {"attempts": 0}, {"attempts": 101},
        {"backoff_us": -1}, {"deadline_us": 1}, {"input": "{"}, {"parent": "t"}, {"input": json.dumps("x" * 300_000)},
    ],
)  # fmt: skip
def test_an_order_that_nobody_could_carry_out_is_refused(fields):
    with pytest.raises(EnvironmentProblem) as refused:
        Desk("a").engine.submit(TaskOrder(**{"id": "t", "type": "sum", **fields}), 1_000 * S)
    assert refused.value.problem.code == "task.order"


def test_ids_of_tasks_sort_by_time():
    made = [new_task_id() for _ in range(3)]
    assert len(set(made)) == 3
    assert {one[14] for one in made} == {"7"}
    assert {one[19] for one in made} <= set("89ab")


def test_what_does_not_count_is_noted_once():
    desk = Desk("a")
    work = desk.give()
    for _ in range(3):
        desk.told(work, TaskState.COMPLETED, agent="b")
    desk.told(work, TaskState.COMPLETED)
    for _ in range(3):
        desk.told(work, TaskState.FAILED, agent="a")
        desk.told(work, TaskState.REJECTED, agent="a")
    assert desk.reasons(work).count(Reason.STRANGER) == 1
    assert desk.reasons(work).count(Reason.TOO_LATE) == 2


def test_more_than_are_kept_in_memory_are_refused():
    desk = Desk("a")
    fan = TaskOrder("t", "sum", to=tuple(f"a{number}" for number in range(5_000)), fan=Fan.EACH)
    with pytest.raises(EnvironmentProblem) as refused:
        desk.engine.refuse([fan] * 20, desk.now_us)
    assert refused.value.problem.code == "task.too-many"


def test_a_whole_within_a_whole_ends_with_it():
    desk = Desk("a", "b")
    whole = desk.give(id_="whole", fan=Fan.EACH, to=("a",))
    inner = desk.give(fan=Fan.EACH, to=("b",), parent="whole")
    for work in list(desk.works.values()):
        if work.agent:
            desk.told(work, TaskState.COMPLETED, result="1")
    assert (inner.state, whole.state) == (TaskState.COMPLETED, TaskState.COMPLETED)


def test_a_part_that_is_tried_again_counts_once():
    desk = Desk("a", "b")
    whole = desk.give(fan=Fan.EACH, to=("a", "b"))
    first, second = (one for one in desk.works.values() if one.order.parent)
    desk.told(first, TaskState.FAILED)
    desk.do("retry", replace(first, ran_at=set()), ())  # as it was read from the file
    again = desk.works[first.order.id]
    desk.told(again, TaskState.COMPLETED, result="1")
    desk.told(second, TaskState.COMPLETED, result="2")
    assert whole.state is TaskState.COMPLETED


def test_times_and_queues_of_what_has_ended_are_cleared_away():
    desk = Desk()
    for _ in range(3 * SPARE):
        work = desk.give(deadline_us=desk.now_us + S)
        desk.do("cancel", work.order.id)
    board = desk.engine._board
    assert len(board._times) <= SPARE + 5
    assert sum(map(len, board._for_capability.values())) <= SPARE + 5


@pytest.mark.parametrize("gather", list(Gather))
def test_results_nested_without_end_are_put_together_or_fail(gather):
    desk = Desk("a", "b")
    whole = desk.give(fan=Fan.EACH, gather=gather, to=("a", "b"))
    for part in [one for one in desk.works.values() if one.order.parent]:
        desk.told(part, TaskState.COMPLETED, result='{"a":' * 50_000 + "1" + "}" * 50_000)
    assert whole.ended
