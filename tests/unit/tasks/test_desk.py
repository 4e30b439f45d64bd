"""The orchestrator's thread: nothing is sent that is not stored, whatever happens to disk, link, clock and process."""

import json

import pytest

from app.recorder.tasks.desk import AGE_EVERY_US
from app.recorder.tasks.hearing import Heard
from models.domain.presence_words import Presence
from models.domain.problems import EnvironmentProblem, trouble
from models.domain.records import TaskState
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.orders import TaskOrder
from models.domain.tasks.work import Reason, Sending, Told
from models.storage.keeping.retention import NO_LIMIT, STEADY_CLOCK_US, StoreLimits
from models.storage.tasks.reading import TaskReading
from models.storage.workspace import Workspace
from mqtt.delegating.contract import Withdrawal
from tests.helpers.faulty_disk import Fault, FaultyDisk
from tests.helpers.poll import until
from tests.helpers.task_desk import DeskLife, S


@pytest.fixture
def lives(tmp_path, clock):
    """A function that begins a life of the desk, which ends the one before."""
    made = []

    def live(way=None, *, begin=True):
        if made:
            made[-1].end()
        made.append(DeskLife(Workspace.at(tmp_path), clock, way or (made[-1].way if made else None)))
        return made[-1].begin() if begin else made[-1]

    yield live
    made[-1].end()


def code_of(asked):
    error = asked.exception(5)
    assert isinstance(error, EnvironmentProblem)
    return error.problem.code


class TestOrder:
    def test_stored_before_it_is_sent_and_answered_after(self, lives):
        life = lives()
        seen = []
        life.way.on_publish = lambda _message: seen.append((life.stored().sending, until(asked.done, "it is answered")))
        asked = life.ask("submit", [TaskOrder("t", "sum", to=("a",))])
        assert not seen
        life.turn()
        assert seen == [(Sending.SENDING, True)]
        life.way.acknowledge()
        life.turn()
        assert life.stored().sending is Sending.ACKNOWLEDGED

    def test_none_to_ourselves(self, lives):
        life = lives()
        tasks = life.ask("submit", [TaskOrder("t", "sum", to=("a", "us"))])
        command = life.ask("command", AgentCommand("c", "us", "ping"))
        life.turn()
        assert (code_of(tasks), code_of(command)) == ("task.order", "task.order")
        assert not life.way.sent

    def test_all_or_none(self, lives):
        life = lives()
        asked = life.ask("submit", [TaskOrder("one", "sum", to=("a",)), TaskOrder("two", "sum", to=("a/+",))])
        life.turn()
        assert code_of(asked) == "task.order"
        asked = life.ask("submit", [TaskOrder("one", "sum", parent="two"), TaskOrder("two", "sum", parent="one")])
        life.turn()
        assert code_of(asked) == "task.order"
        assert life.stored("one") is None
        assert not life.way.sent

    def test_what_can_be_no_message_is_refused_and_says_why(self, lives):
        life = lives()
        life.give(input='"\\ud800"')
        assert not life.way.sent
        assert (life.stored().state, life.stored().reason) == (TaskState.FAILED, Reason.REFUSED)
        assert "no message could be made of it" in life.stored().error
        assert life.give("other").sending is Sending.SENDING

    def test_a_row_that_cannot_be_stored_costs_the_others_nothing(self, lives):
        life = lives()
        life.give("bad")
        life.give("good")
        life.hear(*(told_of(one, "\ud800" if one == "bad" else "1") for one in ("bad", "good")))
        assert life.stored("good").result == "1"
        assert life.faults.count

    def test_an_order_that_cannot_be_taken_in_costs_the_others_nothing(self, lives):
        life = lives()
        life.give()
        life.desk.hear(heard_with(orders=[None, TaskOrder("x", "sum", to=("b",), requester="boss", reply_to="m")]))
        life.turn()
        assert life.stored("x").agent == "b"
        assert life.faults.count == 1


def told_of(task, result):
    return Told("a", task, TaskState.COMPLETED, result=result)


def heard_with(**fields):
    return Heard(**fields)


class TestDisk:
    def test_full_nothing_is_sent_and_it_goes_on_by_itself(self, lives, tmp_path):
        disk = FaultyDisk(tmp_path)
        life = lives(begin=False)
        with disk.installed():
            life.begin()
            disk.fail(Fault("space", 1, full=True, lasting=True))
            waits = life.ask("submit", [TaskOrder("t", "sum", to=("a",))])
            life.turn()
            assert (life.desk.problem.code, life.way.sent, waits.done()) == ("store.full", [], False)
            assert life.desk.warnings == (life.desk.problem,)
            assert code_of(life.ask("submit", [TaskOrder("u", "sum", to=("a",))])) == "store.full"
            for _ in range(3):
                life.later(S)
            life.tells(TaskState.WORKING, "nobody's")  # what is heard meanwhile is taken in
            assert not life.way.sent
            disk.mend()
            life.later(S)
            assert waits.result(5) is None
            assert life.desk.problem is None
            assert len(life.way.sent) == 1
            life.end()
        assert life.stored("u") is None

    def test_what_ended_before_it_could_be_stored_is_not_sent(self, lives, tmp_path, clock):
        disk = FaultyDisk(tmp_path)
        life = lives(begin=False)
        with disk.installed():
            life.begin()
            disk.fail(Fault("space", 1, full=True, lasting=True))
            life.ask("submit", [TaskOrder("t", "sum", to=("a",), deadline_us=clock.wall_us() + 10 * S)])
            life.turn()
            life.later(11 * S)
            disk.mend()
            life.later(S)
            life.end()
        assert life.stored().reason is Reason.LATE
        assert [json.loads(message.payload)["type"] for message, _ in life.way.sent] == ["cancel"]

    def test_a_file_that_cannot_be_opened_is_told_and_tried_again(self, lives):
        life = lives(begin=False)
        opens = life.opening

        def fails():
            raise trouble("store.io", path="tasks.db", detail="bad sector")

        life.opening = fails
        assert not life.desk._open()
        assert life.desk.problem.code == "store.io"
        assert code_of(life.ask("submit", [TaskOrder("t", "sum")])) == "store.io"
        assert life.desk.knows("anything")  # until it is known what is known, all is heard
        life.opening = lambda: 1 / 0
        assert not life.desk._open()
        assert life.desk.problem.code == "task.unread"
        life.opening = opens
        life.begin()
        assert life.desk.problem is None
        assert life.give() is not None

    def test_an_answer_to_a_command_waits_for_the_disk_and_costs_nothing_else(self, lives, tmp_path):
        disk = FaultyDisk(tmp_path)
        life = lives(begin=False)
        with disk.installed():
            life.begin()
            life.give()
            asked = life.ask("command", AgentCommand("c", "a", "ping"))
            life.turn()
            asked.result(5)
            disk.fail(Fault("space", 1, full=True, lasting=True))
            life.hear(told_of("c", '"pong"'), told_of("t", "1"))
            disk.mend()
            life.later(S)
            life.end()
        assert (life.stored().state, life.faults.count) == (TaskState.COMPLETED, 0)
        with TaskReading(life.workspace) as reading:
            assert [one.answer for one in reading.commands(9)] == ['"pong"']


class TestKilled:
    """At each point of a task's way; the next life has the same file."""

    @pytest.mark.parametrize("idempotent", [True, False])
    def test_stored_and_not_sent(self, lives, idempotent):
        life = lives()

        def die(_message):
            raise KeyboardInterrupt

        life.way.on_publish = die
        life.ask("submit", [TaskOrder("t", "sum", to=("a",), idempotent=idempotent)])
        with pytest.raises(KeyboardInterrupt):
            life.turn()
        life.way.on_publish = lambda _message: None
        again = lives()
        assert again.stored().sending is Sending.SENDING
        again.all_heard()
        if idempotent:
            assert len(life.way.sent) == 1
            assert Reason.UNSURE in again.reasons()
        else:
            assert not life.way.sent
            assert (again.stored().state, again.stored().reason) == (TaskState.UNKNOWN, Reason.UNSURE)

    @pytest.mark.parametrize("acknowledged", [True, False])
    def test_sent_and_found_in_what_was_recorded(self, lives, acknowledged):
        life = lives()
        life.give()
        if acknowledged:
            life.way.acknowledge()  # which it did not come to hear
        again = lives()
        again.tells(TaskState.SUBMITTED, attempt=1)
        again.all_heard()
        assert (again.stored().state, again.stored().sending) == (TaskState.SUBMITTED, Sending.ACKNOWLEDGED)
        assert len(life.way.sent) == 1

    def test_acknowledged_and_stored_it_is_in_no_doubt(self, lives):
        life = lives()
        life.give()
        life.way.acknowledge()
        life.turn()
        again = lives()
        again.all_heard()
        assert (again.stored().state, len(life.way.sent)) == (TaskState.SUBMITTED, 1)

    def test_asked_to_stop_and_not_told_so_its_agent_is_told_at_the_next_start(self, lives):
        life = lives()
        life.give()
        life.way.acknowledge()
        life.way.down()
        asked = life.ask("cancel", "t")
        life.turn()
        asked.result(5)
        life.way.up()
        again = lives()
        kinds = [json.loads(message.payload)["type"] for message, _ in again.way.sent]
        assert kinds == ["task", "cancel"]

    def test_nothing_heard_before_the_first_task_its_end_is_looked_for_from_there(self, lives, clock):
        life = lives()
        life.give()
        assert lives().opened.file.heard_us == clock.wall_us()


class TestLink:
    def test_without_a_connection_nothing_is_answered_or_commanded(self, lives):
        life = lives()
        life.give()
        life.way.acknowledge()
        life.tells(TaskState.INPUT_REQUIRED)
        life.way.down()
        life.turn()
        for what in (("answer", "t", '"yes"'), ("command", AgentCommand("c", "a", "ping"))):
            asked = life.ask(*what)
            life.turn()
            assert code_of(asked) == "publish.not-connected"

    def test_a_thousand_in_flight_while_the_broker_restarts(self, lives):
        life = lives()
        life.ask("limit", "a", 5_000)
        orders = [TaskOrder(f"t{number}", "sum", to=("a",), idempotent=number % 2 == 0) for number in range(1_000)]
        asked = life.ask("submit", orders)
        life.turn()
        asked.result(5)
        assert len(life.way.sent) == 1_000
        life.way.lose()
        life.way.down()
        life.turn()
        life.later(S)
        life.way.up()
        life.turn()
        for number in range(0, 1_000, 4):
            life.tells(TaskState.SUBMITTED, f"t{number}", attempt=1)  # the broker had it after all
        life.all_heard()
        sent = [json.loads(message.payload)["body"]["task"] for message, _ in life.way.sent[1_000:]]
        assert sorted(sent) == sorted(f"t{number}" for number in range(2, 1_000, 4))
        states = [life.stored(f"t{number}").state for number in range(8)]
        assert states == [TaskState.SUBMITTED, TaskState.UNKNOWN] * 4

    def test_a_broker_that_forgot_puts_in_doubt_what_it_had(self, lives):
        life = lives()
        life.give("may", idempotent=True)
        life.give("may-not")
        life.way.acknowledge()
        life.turn()
        life.later(11 * S)
        life.way.up(session_lost=True)
        life.turn()
        life.all_heard()
        assert life.stored("may-not").state is TaskState.UNKNOWN
        assert [json.loads(message.payload)["id"] for message, _ in life.way.sent] == ["may.1", "may-not.1", "may.1"]
        life.tells(TaskState.WORKING, "may-not")
        assert life.stored("may-not").state is TaskState.WORKING

    def test_a_task_of_which_nobody_knows_takes_no_place_of_others(self, lives):
        life = lives()
        asked = life.ask("limit", "a", 1)
        life.turn()
        asked.result(5)
        life.give()
        life.way.lose()
        life.turn()
        life.later(11 * S)
        assert life.stored().state is TaskState.UNKNOWN
        assert life.give("u").agent == "a"

    def test_who_was_online_before_a_short_break_is_taken_to_be_so_once_all_is_heard(self, lives):
        life = lives()
        life.come("a")
        life.way.down()
        life.hear(presence=[("a", Presence.UNKNOWN)])
        life.later(S)
        life.way.up()
        assert life.give(to=()).agent == ""
        life.all_heard()
        assert life.stored().agent == "a"

    def test_who_went_meanwhile_is_not_and_nobody_is_after_a_long_break(self, lives):
        life = lives()
        life.come("a", "b")
        life.way.down()
        life.hear(presence=[("a", Presence.UNKNOWN), ("b", Presence.UNKNOWN)])
        life.hear(presence=[("a", Presence.OFFLINE)])
        life.later(61 * S)
        life.way.up()
        life.give(to=())
        life.all_heard()
        assert life.stored().reason is Reason.NOBODY

    def test_even_where_nothing_live_comes_doubt_ends(self, lives):
        life = lives()
        life.give()
        life.way.lose()
        life.turn()
        life.later(11 * S)
        assert life.stored().state is TaskState.UNKNOWN


class TestClock:
    def test_set_back_by_an_hour_nothing_waits_longer(self, lives, clock):
        life = lives()
        life.give(attempts=2, deadline_us=clock.wall_us() + 60 * S)
        life.tells(TaskState.FAILED)
        clock.step_wall(-3_600 * S)
        life.turn()
        life.later(S)
        assert life.stored().attempt == 2
        life.later(60 * S)
        assert life.stored().reason is Reason.LATE

    def test_set_back_what_is_heard_from_then_on_is_looked_for_from_there(self, lives, clock):
        life = lives()
        life.give()
        clock.step_wall(-3_600 * S)
        life.tells(TaskState.WORKING)
        assert lives().opened.file.heard_us == clock.wall_us()

    def test_set_forward_a_deadline_passes_and_says_so(self, lives, clock):
        life = lives()
        life.give(deadline_us=clock.wall_us() + 60 * S)
        clock.step_wall(3_600 * S)
        life.turn()
        assert (life.stored().state, life.stored().reason) == (TaskState.FAILED, Reason.LATE)

    def test_set_while_in_doubt_doubt_ends_all_the_same(self, lives, clock):
        life = lives()
        life.give()
        life.way.lose()
        life.turn()
        clock.step_wall(-3_600 * S)
        life.hear(live=True)
        life.later(11 * S)
        assert life.stored().state is TaskState.UNKNOWN


class TestAgentsAsk:
    def order(self, sender="boss"):
        return TaskOrder("x", "sum", to=("a",), requester=sender, reply_to="m1")

    def answers(self, life, to):
        found = [json.loads(message.payload) for message, _ in life.way.sent if f"/{to}/inbox" in message.topic]
        return [(one["body"]["state"]) for one in found]

    def test_who_did_not_hear_the_end_is_told_when_it_asks_again(self, lives):
        life = lives()
        life.hear(orders=[self.order()])
        life.way.down()
        life.tells(TaskState.COMPLETED, "x", result="1")
        life.way.up()
        assert self.answers(life, "boss") == []
        life.hear(orders=[self.order()])
        assert self.answers(life, "boss") == ["completed"]
        assert life.way.topics().count("agents/a/inbox/us") == 1

    def test_an_id_that_is_somebody_elses_is_refused(self, lives):
        life = lives()
        life.hear(orders=[self.order()])
        life.hear(orders=[self.order("thief")])
        assert self.answers(life, "thief") == ["rejected"]
        assert life.stored("x").order.requester == "boss"

    def test_taken_back_twice_its_agent_still_has_its_say(self, lives):
        life = lives()
        life.hear(orders=[self.order()])
        life.way.acknowledge()
        for _ in range(2):
            life.hear(withdrawals=[Withdrawal("boss", "x")])
        life.hear(withdrawals=[Withdrawal("thief", "x")])
        assert not life.stored("x").ended
        life.tells(TaskState.CANCELED, "x")
        assert life.stored("x").state is TaskState.CANCELED


class TestAge:
    LIMITS = StoreLimits(retention_bytes=NO_LIMIT, retention_s=86_400)

    def test_what_ended_goes_with_the_history_of_its_day(self, lives, clock):
        life = lives()
        life.desk.keep_within(self.LIMITS)
        life.give("old")
        life.give("open")
        life.tells(TaskState.COMPLETED, "old")
        life.later(STEADY_CLOCK_US)
        assert life.stored("old") is not None
        clock.advance(86_400 * S)
        life.give("young")
        life.tells(TaskState.COMPLETED, "young")
        life.later(AGE_EVERY_US)
        assert [life.stored(one) is not None for one in ("old", "open", "young")] == [False, True, True]
        assert life.reasons("old") == []

    def test_never_by_a_clock_that_was_just_set(self, lives, clock):
        life = lives()
        life.desk.keep_within(self.LIMITS)
        life.give()
        life.tells(TaskState.COMPLETED)
        clock.step_wall(30 * 86_400 * S)
        life.turn()
        life.later(S)
        assert life.stored() is not None
