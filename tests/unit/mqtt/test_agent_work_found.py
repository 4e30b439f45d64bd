"""Sequences in which the agent library once said what was not so, or nothing."""

import threading

from mqtt import agent_work
from mqtt.agent_work import Incoming
from mqtt.agent_work import Work as AgentWork
from tests.helpers.poll import until


class FakeAgent:
    """Keeps what is told."""

    id = "a"

    def __init__(self):
        self.reports, self.replies = [], []

    def report(self, task, state, **more):
        self.reports.append((task, state, more.get("attempt")))

    def reply(self, message, body, _type="reply"):
        self.replies.append((message.id, body))

    def log(self, *_, **__):
        pass

    def wait_for_room(self):
        pass


def test_another_attempt_of_what_is_at_work_is_that_from_then_on():
    agent, go = FakeAgent(), threading.Event()
    work = AgentWork(agent, 1, 10)

    def fails(task):
        go.wait(5)
        raise ValueError("no")

    work.handle("sum", fails)
    work.take(Incoming("us", "t.1", "task", {"task": "t", "type": "sum", "attempt": 1}, ""))
    until(lambda: ("t", "working", 1) in agent.reports, "it is so")
    work.take(Incoming("us", "t.2", "task", {"task": "t", "type": "sum", "attempt": 2}, ""))
    work.take(Incoming("us", "t.inquiry.2", "inquiry", {"task": "t", "attempt": 2}, ""))
    go.set()
    until(lambda: not work.tasks, "it is so")
    work.take(Incoming("us", "t.inquiry.2", "inquiry", {"task": "t", "attempt": 2}, ""))
    work.end()
    assert any(one[2] == 2 for one in agent.reports), agent.reports


def test_an_answer_that_comes_twice_answers_no_other_question():
    agent, got = FakeAgent(), []
    work = AgentWork(agent, 1, 10)
    work.handle("sum", lambda task: got.extend((task.ask("one?", 2), task.ask("two?", 2))))
    work.take(Incoming("us", "t.1", "task", {"task": "t", "type": "sum", "attempt": 1}, ""))
    until(lambda: ("t", "input-required", 1) in agent.reports, "it is so")
    for _ in range(2):  # QoS 1 delivered twice, or the user pressed twice
        work.take(Incoming("us", "t.1.answer", "input", {"task": "t", "input": "first"}, ""))
    until(lambda: agent.reports.count(("t", "input-required", 1)) == 2, "it asks once more")
    work.take(Incoming("us", "t.1.answer", "input", {"task": "t", "input": "second"}, ""))
    until(lambda: not work.tasks, "it is so")
    work.end()
    assert got == ["first", "second"], got


def test_one_that_is_cancelled_before_it_begins_does_not_begin(monkeypatch):
    """Told canceled, and begun all the same."""
    agent, ran = FakeAgent(), []
    work = AgentWork(agent, 0, 10)
    work._handlers["sum"] = lambda task: ran.append(agent.reports[-1])

    class T(agent_work.Task):
        _s = ""

        @property
        def state(self):
            found = self._s
            if (
                threading.current_thread() is threading.main_thread()
                and self.cancelled.is_set()
                and found == "submitted"
                and not getattr(self, "hit", 0)
            ):
                self.hit = True  # the worker is faster than the next line
                worker.start()
                worker.join(0.2)
            return found

        @state.setter
        def state(self, value):
            self._s = value

    monkeypatch.setattr(agent_work, "Task", T)
    worker = threading.Thread(target=work._run, daemon=True)
    work.take(Incoming("us", "t.1", "task", {"task": "t", "type": "sum", "attempt": 1}, ""))
    gate = threading.Event()
    work._handlers["sum"] = lambda task: (gate.wait(3), ran.append(task.state))
    work.take(Incoming("us", "t.1.cancel", "cancel", {"task": "t"}, ""))
    gate.set()
    worker.join(0.2)
    assert not ran, (ran, agent.reports)
