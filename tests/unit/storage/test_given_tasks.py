"""Which tasks that were given from here count as open with their agents."""

import pytest

from models.domain.records import TaskReport, TaskState
from models.domain.tasks.orders import TaskOrder
from models.domain.tasks.work import Changes, Work
from models.storage.tasks.task_file import TaskFile
from models.storage.workspace import Workspace
from models.storage.writing.given_tasks import QUIET_US
from models.storage.writing.writer import StoreWriter
from tests.helpers.store import batch_of, message, rows

S = 1_000_000


@pytest.fixture
def writer(tmp_path, clock):
    one = StoreWriter(Workspace.at(tmp_path), clock)
    one.begin_capture("mqtt://broker", "client")
    yield one
    one.close()


@pytest.fixture
def tell(writer, clock):
    """Have it stored that `agent` is at work on these tasks."""

    def say(agent, *tasks):
        now_us = clock.wall_us()
        batch = batch_of(writer.names, [message(now_us, b"t", b"{}") for _ in tasks], [agent] * len(tasks))
        batch.tasks += [
            TaskReport(row, now_us, batch.agent[row], task, None, TaskState.WORKING) for row, task in enumerate(tasks)
        ]
        writer.commit(batch)

    return say


@pytest.fixture
def given(writer, clock, tmp_path):
    """Have it stored how tasks that were given stand."""

    def store(**stand):
        file = TaskFile(Workspace.at(tmp_path), "us", clock)
        works = [
            Work(TaskOrder(id_, "sum"), clock.wall_us(), TaskState.CANCELED if ended else TaskState.WORKING, agent=agent,
                 ended_us=clock.wall_us() if ended else 0)
            for id_, (agent, ended) in stand.items()
        ]  # fmt: skip
        file.store(Changes({one.order.id: one for one in works}), 1)
        file.close()

    return store


def counted(writer, clock, workspace):
    clock.advance(11 * S)
    for _ in range(3):
        writer.housekeep()
        clock.advance(S)
    found = rows(workspace, "catalogue", "SELECT name, tasks_open FROM agent_now JOIN agent ON agent.id = agent_id")
    return {name: n for name, n in found if name}


def test_what_has_ended_or_went_to_another_is_open_no_more_once_its_agent_is_quiet(
    writer, clock, tell, given, tmp_path
):
    workspace = Workspace.at(tmp_path)
    tell("a", "ended", "moved", "open", "its-own")
    tell("b", "moved")
    given(ended=("a", True), moved=("b", False), open=("a", False))
    assert counted(writer, clock, workspace) == {"a": 4, "b": 1}, "it said so just now, and may be at it still"
    clock.advance(QUIET_US)
    assert counted(writer, clock, workspace) == {"a": 2, "b": 1}
    left = rows(workspace, "catalogue", "SELECT task FROM open_task ORDER BY task")
    assert left == [("its-own",), ("moved",), ("open",)]
    tell("a", "ended")
    assert counted(writer, clock, workspace)["a"] == 3, "its word counts"


def test_a_file_of_tasks_that_cannot_be_read_changes_nothing(writer, clock, tell, given, tmp_path):
    workspace = Workspace.at(tmp_path)
    tell("a", "ended")
    given(ended=("a", True))
    workspace.tasks.write_bytes(b"no database at all" * 300)
    clock.advance(QUIET_US)
    assert counted(writer, clock, workspace) == {"a": 1}
