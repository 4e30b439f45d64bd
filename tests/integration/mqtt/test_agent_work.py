"""The agent library's logging handler and tasks against a real broker, and our own reader on all it sends."""

import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from models.domain.connection import Protocol
from models.domain.names import Names
from models.domain.presence_words import Presence
from models.domain.records import Level, Outcome, TaskState
from mqtt.agent import Agent, Incoming, Task
from mqtt.reading.reader import Reader
from tests.helpers.asyncapi import broken_promises
from tests.helpers.clock import FakeClock
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.sessions import Listening, Publisher

pytestmark = pytest.mark.services

OFTEN = 3_600.0  # no repetition while a test looks


@pytest.fixture
def listening(broker: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Listening]:
    with Listening(broker.url, client_id=request.node.name, filters=("agents/#",)) as one:
        one.connected()
        yield one


@pytest.fixture
def logger(request: pytest.FixtureRequest) -> Iterator[logging.Logger]:
    one = logging.getLogger(request.node.name)
    one.setLevel(1)
    yield one
    for handler in list(one.handlers):
        one.removeHandler(handler)


def told(listening: Listening, topic: str, count: int = 1) -> list[dict[str, object]]:
    """The payloads on a topic without their stamps, when `count` are there."""
    return [
        {key: value for key, value in json.loads(one.payload).items() if key not in {"ts", "boot", "seq"}}
        for one in listening.bring_count(count, topic.encode())
    ]


class TestLogging:
    def test_levels_logger_and_extra(self, broker: Mosquitto, listening: Listening, logger: logging.Logger) -> None:
        with Agent(broker.url, "logs", interval_s=OFTEN) as agent:
            assert agent.connected.wait(20)
            logger.addHandler(agent.handler())
            for level in (5, 10, 20, 25, 30, 40, 50, 60):
                logger.log(level, "at %d", level)
            logger.info("with %s", "more", extra={"job": 7, "path": {"a": (1, 2)}, "level": "mine", "seq": 99})
            logs = told(listening, "agents/logs/log", 9)
        assert [one["level"] for one in logs[:8]] == [
            "trace", "debug", "info", "info", "warn", "error", "fatal", "fatal",
        ]  # fmt: skip
        assert logs[0] == {"level": "trace", "message": "at 5", "logger": logger.name}
        assert logs[8] == {
            "level": "info", "message": "with more", "logger": logger.name, "job": 7, "path": {"a": [1, 2]},
        }  # fmt: skip

    def test_the_handlers_own_level(self, broker: Mosquitto, listening: Listening, logger: logging.Logger) -> None:
        with Agent(broker.url, "least", interval_s=OFTEN) as agent:
            assert agent.connected.wait(20)
            logger.addHandler(agent.handler(logging.ERROR))
            logger.warning("no")
            logger.error("yes")
            assert [one["message"] for one in told(listening, "agents/least/log")] == ["yes"]

    def test_exceptions_and_stacks(self, broker: Mosquitto, listening: Listening, logger: logging.Logger) -> None:
        with Agent(broker.url, "fails", interval_s=OFTEN) as agent:
            assert agent.connected.wait(20)
            logger.addHandler(agent.handler())
            try:
                1 / 0  # noqa: B018
            except ZeroDivisionError:
                logger.exception("it broke")
            logger.error("nothing raised", exc_info=True)  # noqa: LOG014 - as careless programs do
            logger.error("no", exc_info=False)
            logger.info("where", stack_info=True)
            first, second, third, fourth = told(listening, "agents/fails/log", 4)
        assert (first["error"], first["message"]) == ("ZeroDivisionError: division by zero", "it broke")
        assert "1 / 0" in str(first["stack"])
        assert not {"error", "stack"} & second.keys()
        assert not {"error", "stack"} & third.keys()
        assert "stack_info=True" in str(fourth["stack"])

    def test_what_cannot_be_told_as_it_is_is_told_as_text(
        self, broker: Mosquitto, listening: Listening, logger: logging.Logger
    ) -> None:
        circle: dict[str, object] = {}
        circle["self"] = circle
        with Agent(broker.url, "odd", interval_s=OFTEN) as agent:
            assert agent.connected.wait(20)
            logger.addHandler(agent.handler())
            logger.info("m", extra={"circle": circle, "n": 1})
            logger.info("m", extra={"keys": {(1, 2): 3}, "n": 1})
            logger.info("m", extra={"ratio": float("nan"), "n": 1, "none": None})
            logger.info("m \ud800", extra={"thing": object})
            logs = told(listening, "agents/odd/log", 4)
        assert [one.get("n") for one in logs] == [1, 1, 1, None]
        assert "self" in str(logs[0]["circle"])
        assert (logs[1]["keys"], logs[2]["ratio"], logs[3]["thing"]) == ("{(1, 2): 3}", "nan", "<class 'object'>")

    def test_it_never_raises_into_the_program(
        self, broker: Mosquitto, listening: Listening, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Stubborn:
            def __repr__(self) -> str:
                raise RuntimeError("no text")

        with Agent(broker.url, "mute", interval_s=OFTEN) as agent:
            assert agent.connected.wait(20)
            handler = agent.handler()
            for message, arguments, extra in (
                ("too %s many", ("a", "b"), {}),
                ("m", (), {"it": Stubborn()}),
                ("after", (), {}),
            ):
                record = logging.makeLogRecord({"name": "x", "levelno": 20, "msg": message, "args": arguments, **extra})
                handler.handle(record)
            assert [one["message"] for one in told(listening, "agents/mute/log")] == ["after"]
        assert "not all arguments converted" in capsys.readouterr().err  # as every handler of `logging` says it
        handler.handle(record)  # the agent is gone
        assert agent.dropped == 1

    def test_paho_and_what_is_logged_while_sending_go_round_in_no_circle(
        self, broker: Mosquitto, listening: Listening, logger: logging.Logger
    ) -> None:
        class Chatty:
            def __str__(self) -> str:
                logger.info("I was asked")
                return "chatty"

        paho = logging.getLogger("paho.mqtt.client")
        paho.setLevel(logging.DEBUG)
        handler = None
        try:
            with Agent(broker.url, "calm", interval_s=OFTEN) as agent:
                assert agent.connected.wait(20)
                handler = agent.handler()
                agent._client.enable_logger(paho)
                paho.addHandler(handler)
                logger.addHandler(handler)
                logger.info("once", extra={"it": Chatty()})
                agent.log("info", "direct", it=Chatty())  # not through the handler: that may be told
                logs = told(listening, "agents/calm/log", 3)
                until(lambda: agent._answered == agent._sent, "all was answered")
                sent = agent._sent
            assert [one["message"] for one in logs] == ["once", "I was asked", "direct"]
            assert sent == 4
        finally:
            if handler is not None:
                paho.removeHandler(handler)

    def test_it_does_not_wait_for_a_broker_that_is_away(self, logger: logging.Logger) -> None:
        with Agent("mqtt://127.0.0.1:1", "alone", interval_s=OFTEN, queue_limit=3) as agent:
            logger.addHandler(agent.handler())
            for number in range(5):
                logger.info("%d", number)
            assert agent.dropped == 2


# ---- tasks, given as any MQTT client may


def give(publish: Publisher, to: str, task: str, type_: str = "sum", **more: object) -> None:
    body = {"task": task, "type": type_, "input": [1, 2], **more}
    publish(f"agents/{to}/inbox/boss", json.dumps({"id": f"m-{task}", "type": "task", "body": body}))


def cancel(publish: Publisher, to: str, task: str) -> None:
    publish(f"agents/{to}/inbox/boss", json.dumps({"type": "cancel", "body": {"task": task}}))


@pytest.fixture
def worker(broker: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Agent]:
    name = request.node.name.replace("_", "-")
    with Agent(broker.url, name, interval_s=OFTEN) as agent:
        agent.task("sum", lambda task: sum(task.input))
        assert agent.connected.wait(20)
        until(lambda: f"agents/{name}/inbox/+" in broker.log, "it listens")
        yield agent


@pytest.fixture
def publish(broker: Mosquitto) -> Iterator[Publisher]:
    with Publisher(broker.port) as one:
        yield one


class TestTasks:
    def test_received_reported_answered(self, worker: Agent, listening: Listening, publish: Publisher) -> None:
        give(publish, worker.id, "t1", parent="t0", attempt=2)
        reports = told(listening, f"agents/{worker.id}/task", 3)
        card = {"task": "t1", "type": "sum", "requester": "boss", "parent": "t0", "attempt": 2}
        assert reports == [
            {"state": "submitted"} | card, {"state": "working"} | card, {"state": "completed", "result": 3} | card,
        ]  # fmt: skip
        [answer] = told(listening, f"agents/boss/inbox/{worker.id}")
        assert answer == {
            "id": answer["id"], "type": "result", "reply_to": "m-t1", "body": {"task": "t1", "state": "completed", "result": 3},
        }  # fmt: skip
        assert worker._work.tasks == {}

    def test_a_handler_that_raises_is_a_failure_with_its_stack(
        self, worker: Agent, listening: Listening, publish: Publisher
    ) -> None:
        give(publish, worker.id, "t1", input=["x"])
        report = told(listening, f"agents/{worker.id}/task", 3)[-1]
        assert (report["state"], report["error"]) == (
            "failed", "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
        )  # fmt: skip
        [log] = told(listening, f"agents/{worker.id}/log")
        assert (log["level"], log["task"]) == ("error", "t1")
        assert "Traceback" in str(log["stack"])
        assert told(listening, f"agents/boss/inbox/{worker.id}")[0]["body"] == {
            "task": "t1", "state": "failed", "error": report["error"],
        }  # fmt: skip
        worker.task("exit", lambda _: sys.exit(3))
        give(publish, worker.id, "t2", "exit")
        give(publish, worker.id, "t3")
        states = [one["state"] for one in told(listening, f"agents/{worker.id}/task", 9)[3:]]
        assert sorted(states) == ["completed", "failed", "submitted", "submitted", "working", "working"]

    def test_progress_and_ends_by_hand(self, worker: Agent, listening: Listening, publish: Publisher) -> None:
        def work(task: Task) -> str:
            task.progress(0.5)
            task.fail("no more")
            task.progress(0.6)
            task.done("late")
            return "later"

        worker.task("odd", work)
        give(publish, worker.id, "t1", "odd")
        give(publish, worker.id, "t2")
        reports = told(listening, f"agents/{worker.id}/task", 7)
        assert [(one["state"], one.get("progress"), one.get("error")) for one in reports if one["task"] == "t1"] == [
            ("submitted", None, None), ("working", None, None), ("working", 0.5, None), ("failed", None, "no more"),
        ]  # fmt: skip

    def test_cancelled_at_work_and_while_waiting(self, worker: Agent, listening: Listening, publish: Publisher) -> None:
        seen = threading.Event()

        def work(task: Task) -> None:
            seen.set()
            assert task.cancelled.wait(20)

        worker.task("long", work)
        give(publish, worker.id, "t1", "long")
        give(publish, worker.id, "t2", "long")
        assert seen.wait(20)
        cancel(publish, worker.id, "t2")
        until(lambda: "t2" not in worker._work.tasks, "the waiting one is gone")
        cancel(publish, worker.id, "t1")
        reports = told(listening, f"agents/{worker.id}/task", 5)
        assert [one["state"] for one in reports if one["task"] == "t1"] == ["submitted", "working", "canceled"]
        assert [one["state"] for one in reports if one["task"] == "t2"] == ["submitted", "canceled"]
        answers = told(listening, f"agents/boss/inbox/{worker.id}", 2)
        assert {one["reply_to"] for one in answers} == {"m-t1", "m-t2"}
        cancel(publish, worker.id, "t1")
        [log] = told(listening, f"agents/{worker.id}/log")
        assert (log["level"], log["task"], log["requester"]) == ("warn", "t1", "boss")

    def test_a_result_counts_although_somebody_asked_to_stop(
        self, worker: Agent, listening: Listening, publish: Publisher
    ) -> None:
        begun = threading.Event()

        def work(task: Task) -> str:
            begun.set()
            assert task.cancelled.wait(20)
            return "done nevertheless"

        worker.task("stubborn", work)
        give(publish, worker.id, "t1", "stubborn")
        assert begun.wait(20)
        cancel(publish, worker.id, "t1")
        assert told(listening, f"agents/{worker.id}/task", 3)[-1]["result"] == "done nevertheless"

    def test_the_network_thread_never_waits_for_a_handler(
        self, worker: Agent, listening: Listening, publish: Publisher
    ) -> None:
        go_on, heard = threading.Event(), []
        worker.task("slow", lambda _: go_on.wait(20))
        worker.listen(heard.append)
        give(publish, worker.id, "t1", "slow")
        publish(f"agents/{worker.id}/inbox/boss", b'{"id": "q", "body": "still there?"}')
        until(lambda: heard, "a message that came later")
        worker.metrics({"n": 1})
        told(listening, f"agents/{worker.id}/metrics")
        go_on.set()
        assert told(listening, f"agents/{worker.id}/task", 3)[-1]["state"] == "completed"

    def test_unknown_types_and_floods_are_rejected_and_repeats_done_once(
        self, broker: Mosquitto, listening: Listening, publish: Publisher
    ) -> None:
        go_on = threading.Event()
        with Agent(broker.url, "busy", interval_s=OFTEN, queue_limit=20) as agent:
            agent.task("slow", lambda _: go_on.wait(20))
            assert agent.connected.wait(20)
            until(lambda: "agents/busy/inbox/+" in broker.log, "it listens")
            give(publish, "busy", "t0", "other")
            names, told_so_far = [f"t{number}" for number in range(1, 22)], 2  # rejected; working
            for name in (names[0], *names):
                told_so_far += name != names[0] or told_so_far == 2
                give(publish, "busy", name, "slow")
                told(listening, "agents/busy/task", told_so_far)
            go_on.set()
            reports = told(listening, "agents/busy/task", 1 + 1 + 3 * 20)
            assert agent.dropped == 0
        rejected = {one["task"]: one["error"] for one in reports if one["state"] == "rejected"}
        assert rejected == {"t0": "no handler for tasks of type 'other'", "t21": "too many tasks wait"}
        assert [one["task"] for one in reports if one["state"] == "completed"] == names[:20]

    def test_open_tasks_fail_when_the_agent_stops(
        self, broker: Mosquitto, listening: Listening, publish: Publisher
    ) -> None:
        begun, seen = threading.Event(), threading.Event()

        def work(task: Task) -> None:
            begun.set()
            if task.cancelled.wait(20):
                seen.set()

        with Agent(broker.url, "leaves", interval_s=OFTEN) as agent:
            agent.task("long", work)
            assert agent.connected.wait(20)
            until(lambda: "agents/leaves/inbox/+" in broker.log, "it listens")
            give(publish, "leaves", "t1", "long")
            assert begun.wait(20)
        assert seen.wait(20)
        last = told(listening, "agents/leaves/task", 3)[-1]
        assert (last["state"], last["error"]) == ("failed", "the agent stopped")
        assert told(listening, "agents/leaves/status", 2)[-1]["state"] == "stopped"

    def test_a_task_without_a_name_is_told_as_an_error(
        self, worker: Agent, listening: Listening, publish: Publisher
    ) -> None:
        for body in (None, 5, [], {}, {"type": "sum"}):
            publish(f"agents/{worker.id}/inbox/boss", json.dumps({"id": "m", "type": "task", "body": body}))
        for log in told(listening, f"agents/{worker.id}/log", 5):
            assert log["message"] == "a message could not be handled"
        give(publish, worker.id, "t1")
        assert told(listening, f"agents/{worker.id}/task", 3)[-1]["state"] == "completed"

    def test_without_handlers_tasks_are_messages_like_others(self, broker: Mosquitto, publish: Publisher) -> None:
        heard: list[Incoming] = []
        with Agent(broker.url, "plain", interval_s=OFTEN) as agent:
            agent.listen(heard.append)
            until(lambda: "agents/plain/inbox/+" in broker.log, "it listens")
            give(publish, "plain", "t1")
            until(lambda: heard, "the message")
        assert heard[0].type == "task"


@pytest.mark.parametrize("protocol", [Protocol.MQTT_5, Protocol.MQTT_311])
def test_our_own_reader_reads_all_of_it(protocol: Protocol, broker: Mosquitto, logger: logging.Logger) -> None:
    one, two = f"one-{protocol.name}", f"two-{protocol.name}"
    filters = (f"agents/{one}/#", f"agents/{two}/#")
    with Listening(broker.url, client_id=f"reads-{protocol}", filters=filters, protocol=protocol) as listening:
        listening.connected()
        with (
            Agent(broker.url, one, group="g", interval_s=OFTEN) as asks,
            Agent(broker.url, two, interval_s=OFTEN) as does,
        ):
            does.task("double", lambda task: task.input * 2)
            does.task("break", lambda _: 1 / 0)
            does.listen(lambda message: does.reply(message, {"error": "busy"}) and None)
            for agent in (asks, does):
                assert agent.connected.wait(20)
            until(lambda: f"agents/{two}/inbox/+" in broker.log, "it listens")
            logger.addHandler(does.handler())
            try:
                raise LookupError("lost")
            except LookupError:
                logger.exception("it broke", extra={"job": 7})
            asks.connection("db", "refused", error="no route", duration_s=0.25)
            asks.metrics({"process.cpu.utilization": 0.5})
            asks.say(two, "well?", type="question")
            asks.say(two, {"task": "t1", "type": "double", "input": 21}, type="task")
            asks.say(two, {"task": "t2", "type": "break"}, type="task")
            asks.report("own", "working", type="tidy", progress=0.25)
            listening.bring(lambda all_: sum(b"/inbox/" in one.topic for one in all_) == 6, "questions and answers")
        listening.bring(lambda all_: sum(b"stopped" in one.payload for one in all_) == 2, "goodbyes")
    all_of_it = [one for one in listening.messages if one.topic.startswith(b"agents/")]
    assert [fault for one in all_of_it for fault in broken_promises(one.topic.decode(), one.payload)] == []
    names = Names()
    batch = Reader(names, "agents", FakeClock()).read(all_of_it)
    assert (batch.unreadable, batch.gaps, any(batch.duplicate)) == ([], [], False)
    ids = {names.agents[i]: i for i in range(1, len(names.agents))}
    assert set(ids) == {one, two}
    assert {m.agent for m in batch.evidence if m.presence is Presence.STOPPED} == {ids[one], ids[two]}
    first, failed = batch.logs
    assert (first.agent, first.level, first.logger, first.text, first.error) == (
        ids[two], Level.ERROR, logger.name, "it broke", "LookupError: lost",
    )  # fmt: skip
    assert first.stack is not None
    assert first.attributes == '{"job":7}'
    assert (failed.level, failed.error) == (Level.ERROR, "ZeroDivisionError: division by zero")
    [attempt] = batch.attempts
    assert attempt[2:] == (ids[one], Outcome.REFUSED, "no route", 250_000, "db")
    [figure] = batch.sample_value
    assert figure == 0.5
    exchanges = {(m.sender, m.receiver, m.kind, m.outcome) for m in batch.interactions}
    assert (ids[one], ids[two], "question", Outcome.ERROR) in exchanges
    assert (ids[one], ids[two], "task", Outcome.OK) in exchanges
    tasks = {(m.agent, m.task, m.type, m.state, m.requester, m.progress, m.result, m.error) for m in batch.tasks}
    assert {
        (ids[two], "t1", "double", TaskState.COMPLETED, one, None, "42", None),
        (ids[two], "t2", "break", TaskState.FAILED, one, None, None, "ZeroDivisionError: division by zero"),
        (ids[one], "own", "tidy", TaskState.WORKING, None, 0.25, None, None),
    } <= tasks
