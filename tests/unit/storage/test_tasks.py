"""`tasks.db`: its schema, its commits, its copies, and what becomes of a damaged one."""

import json
from dataclasses import replace

import pytest

from models.domain.problems import EnvironmentProblem
from models.domain.records import TaskState
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.orders import Fan, Gather, TaskOrder
from models.domain.tasks.work import Changes, Reason, Sending, Step, Work
from models.storage.tasks.keeping import SLICE, remove_old
from models.storage.tasks.reading import TaskReading, copied_tasks, damage_of_tasks
from models.storage.tasks.schema import SCHEMA, TASK_MODELS
from models.storage.tasks.task_file import TaskFile
from models.storage.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace.at(tmp_path)


@pytest.fixture
def file(workspace, clock):
    one = TaskFile(workspace, "us", clock)
    yield one
    one.close()


def work(id_="t", **more):
    order = TaskOrder(
        id_, "sum", '{"a":1}', ("x", "y"), "c", Fan.EACH, Gather.MAJORITY, 7, 3, 4, True, "p", "boss", "message"
    )
    return Work(
        order,
        11,
        TaskState.WORKING,
        Reason.DIED,
        "x",
        2,
        3,
        Sending.ACKNOWLEDGED,
        0.5,
        "r",
        "e",
        12,
        13,
        0,
        15,
        16,
        17,
        **more,
    )


def changes(*works, steps=()):
    return Changes({one.order.id: one for one in works}, list(steps))


def test_the_models_are_the_schema(file):
    for model in TASK_MODELS:
        columns = {row[1] for row in file._connection.execute(f"PRAGMA table_info({model._meta.table_name})")}
        assert columns == set(model._meta.columns)


def test_everything_of_a_task_comes_back(workspace, file):
    step = Step("t", 1, 2, "x", TaskState.FAILED, Reason.FAILED, "no")
    file.store(changes(work(), steps=[step]), 99)
    assert file.work("t") == work()
    assert file.heard_us == 99
    with TaskReading(workspace) as reading:
        assert reading.work("t") == work()
        assert reading.steps("t") == [step]
        assert reading.parts("p") == [work()]


def test_open_ones_come_with_all_parts_of_what_they_gather(file):
    whole, done, left = work("whole"), work("done"), work("left")
    whole.children = 2
    for part in (done, left):
        object.__setattr__(part.order, "parent", "whole")
    done.ended_us = 1
    ended = work("ended")
    ended.ended_us = 1
    file.store(changes(whole, done, left, ended), 0)
    assert {one.order.id for one in file.open_works()} == {"whole", "done", "left"}


def test_pages_newest_first(workspace, file):
    file.store(changes(*(work(f"t{number}") for number in range(5))), 0)
    with TaskReading(workspace) as reading:
        first = reading.newest(2)
        assert [one.order.id for one in first] == ["t4", "t3"]
        assert [one.order.id for one in reading.newest(9, before=(11, "t3"))] == ["t2", "t1", "t0"]
        assert reading.newest(9, states=(TaskState.FAILED,)) == []
        assert [one.order.id for one in reading.given()] == [f"t{number}" for number in range(5)]


def test_commands_and_limits(workspace, file):
    one = AgentCommand("c", "x", "ping", "null", 5)
    file.put_command(one)
    assert file.unanswered(5) == [one]
    one.answered_us = 6
    file.put_command(one)
    assert file.unanswered(0) == []
    with TaskReading(workspace) as reading:
        assert reading.commands(9) == reading.commands(9, "x") == [one]
        assert reading.commands(9, "y") == []
    file.limit("x", 3)
    assert file.limits() == {"x": 3}


def test_where_nothing_was_given_there_is_nothing(workspace):
    with TaskReading(workspace) as reading:
        assert reading.newest(9) == []
    assert copied_tasks(workspace) is None
    assert damage_of_tasks(workspace, 9) == []


def test_a_copy_is_what_was_stored(workspace, file, tmp_path):
    file.store(changes(work()), 1)
    copied = copied_tasks(workspace)
    other = Workspace.at(tmp_path / "other")
    other.root.mkdir()
    other.tasks.write_bytes(copied)
    with TaskReading(other) as reading:
        assert reading.work("t") == work()


def test_a_newer_one_is_refused_and_left_alone(workspace, file, clock):
    file._connection.pragma("user_version", SCHEMA + 1)
    file.close()
    for opening in (lambda: TaskFile(workspace, "us", clock), lambda: TaskReading(workspace)):
        with pytest.raises(EnvironmentProblem) as refused:
            opening()
        assert refused.value.problem.code == "workspace.newer"


def test_a_damaged_one_is_set_aside_whole(workspace, file, clock):
    file.store(changes(*(work(f"t{number}") for number in range(500))), 1)
    file.close()
    data = bytearray(workspace.tasks.read_bytes())
    data[4096 : 4096 * 3] = b"\xff" * 8192
    workspace.tasks.write_bytes(data)
    assert damage_of_tasks(workspace, 3)
    again = TaskFile(workspace, "us", clock)
    try:
        assert again.damage is not None
        assert again.open_works() == []
        [aside] = [one for one in workspace.root.glob("tasks.db.damaged-*") if not one.name.endswith(("-wal", "-shm"))]
        assert aside.read_bytes() == data
    finally:
        again.close()


def test_a_copied_workspace_knows_that_it_is_one(workspace, file, clock):
    assert not file.is_copy
    file.store(changes(work()), 1)
    assert not file.is_copy
    other = TaskFile(workspace, "another", clock)
    assert other.is_copy
    other.close()


def test_input_and_targets_are_json(file):
    file.store(changes(work()), 1)
    [(targets, text)] = file._connection.execute("SELECT targets, input FROM task").fetchall()
    assert (json.loads(targets), json.loads(text)) == (["x", "y"], {"a": 1})


def test_beyond_a_size_the_oldest_that_ended_go_however_young_and_nothing_that_is_open(file):
    def ended(number, parent=""):
        order = TaskOrder(f"t-{number:04}", "sum", parent=parent)
        return Work(order, 1_000 + number, TaskState.COMPLETED, result="x" * 500, ended_us=2_000)

    whole = Work(TaskOrder("whole", "sum", fan=Fan.EACH), 1, TaskState.WORKING, children=1)
    standing = Work(TaskOrder("open", "sum"), 2)
    done = [ended(number) for number in range(SLICE + 100)]
    file.store(changes(whole, standing, replace(ended(9_999, "whole"), created_us=3), *done), 1)
    connection = file._connection

    def left():
        return {one.order.id for one in file.open_works()}, connection.execute("SELECT count(*) FROM task").fetchone()

    everything = 3 + len(done)
    assert remove_old(connection, 0, 1 << 30) == 0
    assert left() == ({"whole", "open", "t-9999"}, (everything,))
    assert remove_old(connection, 0, 10_000) == SLICE
    assert left() == ({"whole", "open", "t-9999"}, (everything - SLICE,))
    assert file.work("t-0000") is None, "the oldest go first"
    assert file.work(f"t-{SLICE:04}") is not None
    assert remove_old(connection, 0, 10_000) == 100
    assert left() == ({"whole", "open", "t-9999"}, (3,))
    assert remove_old(connection, 0, 1 << 20) == 0, "what is free in the file is not counted"
