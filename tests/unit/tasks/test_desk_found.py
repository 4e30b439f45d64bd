"""What once ended the thread that gives tasks, or was lost between it and its file."""

from types import SimpleNamespace

from app.recorder.tasks import beginning
from app.recorder.tasks.hearing import Heard, said_to, sorted_out
from app.recorder.tasks.way_out import WayOut
from models.domain.messages import Origin, RawMessage
from models.domain.presence_words import Presence
from models.domain.records import TaskState
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.orders import Fan
from models.domain.tasks.work import Told
from models.storage.tasks.since import Known
from models.storage.workspace import Workspace
from tests.helpers.task_desk import DeskLife, S


def test_who_died_around_our_start_has_its_tasks_tried_elsewhere(tmp_path, clock, monkeypatch):
    life = DeskLife(Workspace.at(tmp_path), clock).begin()
    life.come("a", "b")
    work = life.give(to=(), attempts=3)
    agent = work.agent
    life.way.acknowledge()
    life.tells(TaskState.WORKING, agent=agent)
    life.end()
    # recorder dies; agent died and its will was committed before tasks.db was read
    monkeypatch.setattr(
        beginning,
        "known_agents",
        lambda v: [
            Known("a", ("sum",), "", "", Presence.OFFLINE if agent == "a" else Presence.ONLINE),
            Known("b", ("sum",), "", "", Presence.ONLINE if agent == "a" else Presence.OFFLINE),
        ],
    )
    monkeypatch.setattr(beginning, "StoreView", lambda w: SimpleNamespace(refresh=lambda: 0, close=lambda: 0))
    monkeypatch.setattr(beginning, "inbox_since", lambda *a: [])
    monkeypatch.setattr(beginning, "reports_since", lambda *a: [])
    new = DeskLife(Workspace.at(tmp_path), clock, life.way)
    new.opening = lambda: beginning.open_file(new.workspace, "us", WayOut(new.way, "us", clock), clock, new.faults)
    assert new.desk._open()
    new.desk.hear(
        Heard(presence=[(agent, Presence.OFFLINE)], received_us=clock.wall_us())
    )  # the very commit, heard from the queue
    new.turn()
    new.all_heard()
    for _ in range(40):
        new.later(10 * S)
    new.hear(presence=[(agent, Presence.OFFLINE)])
    work = new.opened.clerk.engine.open_task("t")
    assert (work is None) or (work.agent, work.attempt) != (agent, 1), (work.state, work.reason, work.agent)
    new.end()


def test_a_result_that_holds_half_a_letter_ends_its_task_and_nothing_else(tmp_path, clock):
    life = DeskLife(Workspace.at(tmp_path), clock).begin()

    def hear(sender, payload):
        message = RawMessage(
            f"agents/us/inbox/{sender}".encode(), payload, 1, False, False, 0, None, clock.wall_us(), Origin.LIVE, 0
        )
        life.desk.hear(sorted_out([], said_to([message], "agents", "us"), "agents", "us"))
        life.turn()

    hear("boss", b'{"id":"m","type":"task","body":{"task":"t","type":"sum","to":"a"}}')
    hear(
        "a",
        rb'{"id":"x","type":"result","reply_to":"t.1","body":{"task":"t","state":"completed","result":"\"\\ud800\""}}',
    )
    assert life.stored("t").ended
    assert life.desk.problem is None
    life.end()


def test_and_so_do_results_that_are_put_together(tmp_path, clock):
    life = DeskLife(Workspace.at(tmp_path), clock).begin()
    life.come("a", "b")
    life.give("t", to=("a", "b"), fan=Fan.EACH)
    parts = list(life.opened.clerk.engine._board.parts["t"])
    for id_ in parts:
        w = life.opened.clerk.engine.open_task(id_)
        life.tells(TaskState.COMPLETED, task=id_, agent=w.agent, result='"\\ud800"')
    assert life.stored("t").ended, life.stored("t").state
    life.end()


def test_one_row_at_fault_costs_no_command_its_answer(tmp_path, clock):
    life = DeskLife(Workspace.at(tmp_path), clock).begin()
    life.give("bad")
    asked = life.ask("command", AgentCommand("c", "a", "ping"))
    life.turn()
    asked.result(5)
    life.hear(Told("a", "bad", TaskState.COMPLETED, result="\ud800"), Told("a", "c", TaskState.COMPLETED, result="1"))
    life.turn()
    life.clock.advance(10 * S)
    life.turn()
    assert not life.opened.file.unanswered(0), life.opened.file.unanswered(0)
    life.end()
