"""The agent library against a real broker: exactly what it publishes, and when."""

import ast
import json
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import mqtt.agent
import mqtt.agent_work
from app.cli.example import as_one_file
from models.domain.messages import Origin, RawMessage
from mqtt.agent import Agent, Incoming, Refused
from tests.helpers.mosquitto import Mosquitto, free_port
from tests.helpers.poll import until
from tests.helpers.sessions import Listening, Publisher

pytestmark = pytest.mark.services

MakeBroker = Callable[..., Mosquitto]
OFTEN = 3_600.0  # no repetition while a test looks


@pytest.fixture
def listening(broker: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Listening]:
    with Listening(broker.url, client_id=request.node.name, filters=("agents/#",)) as one:
        one.connected()
        yield one


def told(listening: Listening, topic: str, count: int = 1) -> list[dict[str, object]]:
    """The payloads on a topic that were published now, when `count` are there."""

    def live(_: list[RawMessage]) -> list[RawMessage]:
        return [one for one in listening.on(topic.encode()) if one.origin is Origin.LIVE]

    listening.bring(lambda messages: len(live(messages)) >= count, f"{count} messages on {topic}")
    return [json.loads(one.payload) for one in live(listening.messages)]


def without_stamp(payload: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in payload.items() if key not in {"ts", "boot", "seq"}}


def test_status_at_start_on_change_and_at_the_end(broker: Mosquitto, listening: Listening) -> None:
    with Agent(
        broker.url, "a1", name="Ann", group="g", interval_s=OFTEN, capabilities=["x", "y"], version="1.2"
    ) as agent:
        assert agent.connected.wait(20)
        agent.status("degraded")
    states = told(listening, "agents/a1/status", 3)
    assert [one["state"] for one in states] == ["online", "degraded", "stopped"]
    assert without_stamp(states[0]) == {
        "state": "online",
        "name": "Ann",
        "group": "g",
        "interval_s": OFTEN,
        "capabilities": ["x", "y"],
        "version": "1.2",
        "host": socket.gethostname(),
    }
    assert [one["seq"] for one in states] == [0, 1, 2]
    assert {one["boot"] for one in states} == {agent.boot}
    ts = states[0]["ts"]
    assert isinstance(ts, float)
    assert abs(ts - listening.messages[0].received_us / 1e6) < 30


def test_the_last_status_is_retained_and_at_qos_1(make_broker: MakeBroker) -> None:
    broker = make_broker()
    with Agent(broker.url, "a1", interval_s=OFTEN) as agent:
        assert agent.connected.wait(20)
    with Listening(broker.url) as late:
        status = late.bring_count(1, b"agents/a1/status")[0]
        assert (status.retain, status.qos, status.origin) == (True, 1, Origin.REPLAY)
        assert json.loads(status.payload)["state"] == "stopped"


def test_status_is_told_again_and_again(broker: Mosquitto, listening: Listening) -> None:
    with Agent(broker.url, "again", interval_s=0.05):
        assert [one["seq"] for one in told(listening, "agents/again/status", 4)][:4] == [0, 1, 2, 3]


def test_the_broker_speaks_for_a_program_that_died(broker: Mosquitto, listening: Listening) -> None:
    agent = Agent(broker.url, "dies", group="g", interval_s=OFTEN).start()
    told(listening, "agents/dies/status")
    sock = agent._client.socket()
    assert sock is not None
    agent._client.reconnect_delay_set(60, 60)
    sock.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
    will = told(listening, "agents/dies/status", 2)[1]
    assert will == {"state": "offline", "name": "dies", "group": "g", "interval_s": OFTEN, "host": socket.gethostname()}
    agent.close()


def test_an_exception_ends_it_as_offline_with_its_cause(broker: Mosquitto, listening: Listening) -> None:
    with pytest.raises(ZeroDivisionError), Agent(broker.url, "fails", interval_s=OFTEN) as agent:
        assert agent.connected.wait(20)
        1 / 0  # noqa: B018
    assert [one["state"] for one in told(listening, "agents/fails/status", 2)] == ["online", "offline"]
    log = told(listening, "agents/fails/log")[0]
    assert (log["level"], log["error"]) == ("fatal", "ZeroDivisionError: division by zero")
    assert log["message"] == "division by zero"
    assert "1 / 0" in str(log["stack"])


def test_metrics_logs_and_connections(broker: Mosquitto, listening: Listening) -> None:
    with Agent(broker.url, "b", interval_s=OFTEN) as agent:
        agent.metrics({"process.cpu.utilization": 0.25, "bad": float("nan"), "worse": float("inf"), "n": 3})
        agent.metrics({"n": np.int64(4), "loss": np.float32(0.5)})  # as they come out of learning
        agent.metrics({"bad": float("nan")})
        agent.log("warn", "text ä", logger="l", job=7, path=Path("/x"))
        agent.connection("db:5432", "timeout", error="too slow", duration_s=1.5)
        agent.connection("db:5432", "ok")
        first, second = told(listening, "agents/b/metrics", 2)
        assert without_stamp(first) == {"metrics": {"process.cpu.utilization": 0.25, "n": 3}}
        assert without_stamp(second) == {"metrics": {"n": 4, "loss": 0.5}}
        assert (first["seq"], second["seq"]) == (0, 1)  # a sequence per topic
        assert without_stamp(told(listening, "agents/b/log")[0]) == {
            "level": "warn",
            "message": "text ä",
            "logger": "l",
            "job": 7,
            "path": "/x",
        }
        failed, ok = told(listening, "agents/b/connection", 2)
        assert without_stamp(failed) == {
            "target": "db:5432",
            "outcome": "timeout",
            "error": "too slow",
            "duration_s": 1.5,
        }
        assert without_stamp(ok) == {"target": "db:5432", "outcome": "ok"}


def test_attributes_cannot_forge_the_stamp(broker: Mosquitto, listening: Listening) -> None:
    with Agent(broker.url, "forge", interval_s=OFTEN) as agent:
        agent.log("info", "m", seq=99, boot="other", ts=1)
        log = told(listening, "agents/forge/log")[0]
        assert (log["seq"], log["boot"]) == (0, agent.boot)
        assert log["ts"] != 1


def test_agents_talk_and_answer(broker: Mosquitto, listening: Listening) -> None:
    heard: list[Incoming] = []
    with Agent(broker.url, "asks", interval_s=OFTEN) as asks, Agent(broker.url, "answers", interval_s=OFTEN) as answers:
        answers.listen(lambda message: answers.reply(message, {"got": message.body}) and None)
        asks.listen(heard.append)
        for one in (asks, answers):
            assert one.connected.wait(20)
        until(lambda: broker.log.count("inbox/+ (QoS 1)") >= 2, "both have subscribed")
        question = asks.say("answers", ["x"], type="question")
        until(lambda: heard, "an answer")
    assert heard == [Incoming("answers", heard[0].id, "reply", {"got": ["x"]}, question)]
    assert without_stamp(told(listening, "agents/answers/inbox/asks")[0]) == {
        "id": question,
        "type": "question",
        "body": ["x"],
    }
    assert told(listening, "agents/asks/inbox/answers")[0]["reply_to"] == question


def test_a_handler_that_fails_is_logged_and_the_agent_lives(broker: Mosquitto, listening: Listening) -> None:
    with Agent(broker.url, "hears", interval_s=OFTEN) as agent, Publisher(broker.port) as publish:
        agent.listen(lambda message: 1 / message.body)
        assert agent.connected.wait(20)
        until(lambda: "agents/hears/inbox/+" in broker.log, "subscribed")
        publish("agents/hears/inbox/x", b"no json")
        publish("agents/hears/inbox/x", b'{"body": 0}')
        errors = told(listening, "agents/hears/log", 2)
        assert "ZeroDivisionError" in str(errors[1]["error"])
        assert agent.connected.is_set()


def test_what_is_sent_without_a_connection_arrives_later_within_bounds(make_broker: MakeBroker) -> None:
    broker = make_broker(persistence=True)
    with Listening(broker.url) as listening:
        listening.connected()
        broker.stop()
        with Agent(broker.url, "early", interval_s=OFTEN, queue_limit=5) as agent:
            until(lambda: agent.failure, "it noticed")
            assert isinstance(agent.failure, ConnectionRefusedError)
            for number in range(8):
                agent.metrics({"n": number})
            assert agent.dropped == 3
            broker.start()
            assert agent.connected.wait(20)
            until(lambda: agent._answered == 6, "five and the status are answered")
            agent.metrics({"n": 8})
            listening.bring_count(6, b"agents/early/metrics")
        assert [json.loads(one.payload)["seq"] for one in listening.on(b"agents/early/metrics")] == [0, 1, 2, 3, 4, 8]
        assert json.loads(listening.on(b"agents/early/status")[0].payload)["state"] == "online"
        assert agent.dropped == 3


def test_it_comes_back_by_itself_and_says_so(make_broker: MakeBroker) -> None:
    broker = make_broker(persistence=True)
    with Listening(broker.url) as listening:
        listening.connected()
        with Agent(broker.url, "back", interval_s=OFTEN):
            told(listening, "agents/back/status")
            broker.restart()
            listening.bring(lambda _: ("online", 1) in statuses(listening), "it says online again")


def statuses(listening: Listening) -> list[tuple[str, int | None]]:
    payloads = [json.loads(one.payload) for one in listening.on(b"agents/back/status")]
    return [(one["state"], one.get("seq")) for one in payloads]


def test_refusals_are_named(make_broker: MakeBroker) -> None:
    broker = make_broker(allow_anonymous=False, username="ada", password="right")
    with Agent(broker.url.replace("//", "//ada:wrong@"), "r", interval_s=OFTEN) as agent:
        until(lambda: isinstance(agent.failure, Refused), "it is refused")
        assert str(agent.failure) == "Not authorized"
        assert not agent.connected.wait(0)
    with Agent(broker.url.replace("//", "//ada@"), "r", password="right", interval_s=OFTEN) as agent:
        assert agent.connected.wait(20)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # paho leaves a failed handshake to the collector
def test_tls_is_verified(make_broker: MakeBroker) -> None:
    broker = make_broker(tcp=False, tls=True, require_client_certificate=True)
    files = broker.certificates
    assert files is not None

    def trusting(authority: Path) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(authority))
        context.load_cert_chain(files.client_cert, files.client_key)
        return context

    with Agent(broker.tls_url, "t", tls=trusting(files.other_ca), interval_s=OFTEN) as agent:
        until(lambda: "certificate verify failed" in str(agent.failure), "it is not trusted")
        assert not agent.connected.is_set()
    with Agent(broker.tls_url, "t", tls=trusting(files.ca), interval_s=OFTEN) as agent:
        assert agent.connected.wait(20)


@pytest.mark.parametrize("bad", ["", "a/b", "a+", "#"])
def test_ids_that_cannot_be_a_level_are_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="level"):
        Agent(f"mqtt://127.0.0.1:{free_port()}", bad)


@pytest.mark.parametrize("bad", ["http://x", "mqtt://", "mqtt://" + "x" * 70])
def test_addresses_that_cannot_be_one_are_refused(bad: str) -> None:
    with pytest.raises(ValueError):
        Agent(bad, "a")


def test_a_state_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="none of"):
        Agent("mqtt://127.0.0.1:1", "a").status("fine")


def test_it_is_one_file_for_python_3_9_that_needs_only_paho() -> None:
    halves = (Path(half.__file__).read_text(encoding="utf-8") for half in (mqtt.agent, mqtt.agent_work))
    source = as_one_file(*halves)
    tree = ast.parse(source, feature_version=(3, 9))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert modules - {"paho"} <= set(sys.stdlib_module_names)
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
