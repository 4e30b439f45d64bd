"""Tasks as they stood at a moment: those that were given by their history, those that agents report by their reports."""

import pytest

from models.domain.queries import CancelToken, CommandsRequest
from models.domain.records import TaskReport, TaskState
from models.domain.task_queries import TasksRequest
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.orders import TaskOrder
from models.domain.tasks.work import Changes, Reason, Step, Work
from models.storage.history.reader import HistoryReader
from models.storage.tasks.task_file import TaskFile
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, raw

S = 1_000_000


def given(task, began_s, *told):
    """`told`: (seconds, attempt, state, reason)."""
    steps = [Step(task, T0 + at_s * S, attempt, "a", state, reason, "said") for at_s, attempt, state, reason in told]
    _, attempt, state, reason = told[-1]
    work = Work(TaskOrder(task, "fetch"), T0 + began_s * S, state, reason, "a", attempt, 2)
    if state in (TaskState.COMPLETED, TaskState.FAILED):
        work.ended_us, work.result = T0 + told[-1][0] * S, '"done"'
    return work, steps


RETRIED = given(
    "retried", 0, (0, 0, TaskState.SUBMITTED, Reason.NONE), (1, 1, TaskState.WORKING, Reason.NONE),
    (5, 1, TaskState.FAILED, Reason.FAILED), (6, 1, TaskState.WORKING, Reason.STRANGER),
    (10, 2, TaskState.WORKING, Reason.NONE), (20, 2, TaskState.COMPLETED, Reason.NONE),
)  # fmt: skip
LATER = given("later", 15, (15, 0, TaskState.SUBMITTED, Reason.NOBODY))


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    from tests.helpers.clock import FakeClock

    build = HistoryBuilder(Workspace.at(tmp_path_factory.mktemp("then")))
    agent = build.agent("b")
    segment = build.segment()
    for at_s, state in ((2, TaskState.WORKING), (12, TaskState.COMPLETED)):
        batch = build.messages([raw("agents/b/task", b"{}", T0 + at_s * S)])
        batch.tasks = [TaskReport(0, T0 + at_s * S, agent, "told", "tidy", state)]
        segment.write(batch)
    segment.close()
    build.close()
    file = TaskFile(build.workspace, "us", FakeClock())
    works = {work.order.id: work for work, _ in (RETRIED, LATER)}
    file.store(Changes(works, [step for _, steps in (RETRIED, LATER) for step in steps]), 0)
    file.put_command(AgentCommand("c1", "a", "ping", asked_us=1))
    file.put_command(AgentCommand("c2", "b", "drain", asked_us=2))
    file.close()
    reader = HistoryReader(build.workspace)
    yield lambda request: next(iter(reader.answer(request, CancelToken())))
    reader.close()


def at(ask, second, since=0):
    result = ask(TasksRequest(T0 + since * S, T0 + second * S + 1, at_us=T0 + second * S))
    return {one.task: one for one in result.items}


@pytest.mark.parametrize(
    ("second", "state", "reason", "attempt", "started", "ended"),
    [
        (0, TaskState.SUBMITTED, Reason.NONE, 0, 0, 0),
        (3, TaskState.WORKING, Reason.NONE, 1, 1, 0),
        (7, TaskState.FAILED, Reason.FAILED, 1, 1, 5),
        (12, TaskState.WORKING, Reason.NONE, 2, 10, 0),
        (20, TaskState.COMPLETED, Reason.NONE, 2, 10, 20),
    ],
)
def test_one_that_was_given(ask, second, state, reason, attempt, started, ended):
    one = at(ask, second)["retried"]
    assert (one.state, one.reason, one.attempt) == (state, reason, attempt)
    assert (one.started_us, one.ended_us) == (started and T0 + started * S, ended and T0 + ended * S)
    assert one.result == ('"done"' if second == 20 else "")
    assert one.error == ("said" if second == 7 else "")


def test_who_was_not_there_yet_is_not_listed(ask):
    assert set(at(ask, 1)) == {"retried"}
    assert set(at(ask, 2)) == {"retried", "told"}
    assert set(at(ask, 16)) == {"retried", "told", "later"}


def test_what_was_open_then_is_listed_however_old_and_what_had_ended_is_not(ask):
    assert set(at(ask, 11, since=11)) == {"retried", "told"}
    assert set(at(ask, 25, since=21)) == {"later"}


def test_one_that_is_only_reported(ask):
    assert at(ask, 11)["told"].state is TaskState.WORKING
    assert at(ask, 12)["told"].state is TaskState.COMPLETED


def test_commands_newest_first_of_all_or_of_one(ask):
    assert [one.id for one in ask(CommandsRequest()).items] == ["c2", "c1"]
    assert [one.id for one in ask(CommandsRequest("a")).items] == ["c1"]
    result = ask(CommandsRequest(limit=1))
    assert ([one.id for one in result.items], result.whole) == (["c2"], False)
