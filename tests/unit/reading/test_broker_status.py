"""What brokers tell of themselves, and what of their clients."""

from collections import Counter

import pytest

from models.domain.batch import RecordBatch
from models.domain.clock import Instant
from models.domain.messages import Kind, Origin
from models.domain.names import SeriesKind
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Presence
from models.domain.records import Level, Outcome
from mqtt.reading.clients import MOST_AWAITED, MOST_REFUSED, is_made_up
from tests.helpers.reading import ARRIVAL_US, Reading, recorded

S = ARRIVAL_US // 1_000_000
LOG = "$SYS/broker/log/N"


def attempts(reading: Reading, *batches: RecordBatch) -> list[tuple[str, Outcome, str | None, str | None]]:
    return [
        (reading.names.agents[one.agent], one.outcome, one.error, one.target) for b in batches for one in b.attempts
    ]


def told(reading: Reading, batch: RecordBatch) -> list[tuple[str, Presence, Cause, int]]:
    return [(reading.names.agents[one.agent], one.presence, one.cause, one.rank) for one in batch.evidence]


@pytest.mark.parametrize("size", [1, 7, 400])
def test_the_recording_of_mosquitto(size: int) -> None:
    reading = Reading()
    messages = recorded("mosquitto-2.0.11-sys")
    batches = [reading.read(*messages[i : i + size]) for i in range(0, len(messages), size)]
    assert not reading.agents(), "a broker is no agent of the fleet it serves"
    counts = Counter(one.metric for one in reading.points)
    topics = Counter(one.topic.decode() for one in messages)
    assert counts == {
        topic.replace("$SYS/", "").replace("/", ".").replace(" ", "_"): n
        for topic, n in topics.items()
        if topic != "$SYS/broker/version"
    }
    last = {one.metric: (one.value, one.unit) for one in reading.points}
    assert last["broker.clients.connected"] == (1.0, "{client}")
    assert last["broker.load.messages.received.1min"][1] == "/min"
    assert [one.value for one in reading.points if one.metric == "broker.uptime"] == [0.0, 6.0, 12.0, 18.0, 24.0]
    assert last["broker.uptime"] == (24.0, "s")
    assert last["broker.heap.current"][1] == last["broker.bytes.sent"][1] == "By"
    kinds = {key.metric: key.kind for key in reading.names.series[1:]}
    assert kinds["broker.publish.messages.received"] is SeriesKind.COUNTER
    assert kinds["broker.load.messages.received.1min"] is kinds["broker.messages.stored"] is SeriesKind.GAUGE
    assert not any(batch.unreadable or batch.evidence or batch.attempts for batch in batches)


def test_figures_of_emqx_are_told_apart_by_node() -> None:
    reading = Reading()
    for node in ("emqx@10.0.0.1", "emqx@10.0.0.2"):
        for topic, payload in (
            ("stats/connections/count", "5"), ("metrics/bytes/received", "9"), ("version", "5.8.0"), ("uptime", "2 hours, 3 minutes"),
        ):  # fmt: skip
            assert not reading.send(f"$SYS/brokers/{node}/{topic}", payload).unreadable
    assert [(key.metric, key.labels, key.unit, key.kind) for key in reading.names.series[1:]] == [
        (metric, f'{{"node":"{node}"}}', unit, kind)
        for node in ("emqx@10.0.0.1", "emqx@10.0.0.2")
        for metric, unit, kind in (
            ("broker.stats.connections.count", "{connection}", SeriesKind.GAUGE),
            ("broker.metrics.bytes.received", "By", SeriesKind.COUNTER),
        )
    ]
    assert not reading.send("$SYS/brokers", "emqx@10.0.0.1").unreadable


REFUSED = ("bad-1", Outcome.REFUSED, "not authorised", None)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Client bad-1 disconnected, not authorised.", REFUSED), ("Client bad-1 [10.0.0.7:41002] disconnected: not authorised.", REFUSED),
        ("Client <unknown> disconnected, not authorised.", ("", Outcome.REFUSED, "not authorised", None)),
        ("Client <unknown> disconnected due to protocol error.", ("", Outcome.ERROR, "protocol error", None)),
        ("Client <unknown> closed its connection.", ("", Outcome.ERROR, "closed its connection", None)),
        ("Client <unknown> has exceeded timeout, disconnecting.", ("", Outcome.TIMEOUT, "timeout", None)),
        ("Socket error on client <unknown>, disconnecting.", ("", Outcome.ERROR, "socket error", None)),
        ("Client connection from 10.0.0.7 failed: error:0A000086:SSL routines::certificate verify failed.",
         ("", Outcome.ERROR, "error:0A000086:SSL routines::certificate verify failed", None)),
        ("Client auto-137CCC1A-8B81-ABE0-D291-0097EC5B7530 disconnected, not authorised.",
         ("", Outcome.REFUSED, "not authorised", "auto-137CCC1A-8B81-ABE0-D291-0097EC5B7530")),
        ("Client good-1 disconnected.", None), ("New connection from 127.0.0.1:37884 on port 28831.", None),
        ("New client connected from 127.0.0.1:37874 as watcher (p2, c1, k60, u'ada').", None),
        ("Client twice already connected, closing old connection.", None), ("Sending PINGRESP to x", None), ("Client x", None),
    ],
)  # fmt: skip
def test_connections_that_came_to_nothing(line: str, found: tuple[str, Outcome, str, str | None] | None) -> None:
    reading = Reading()
    batch = reading.send(LOG, f"{S - 2}: {line}")
    assert attempts(reading, batch) == ([] if found is None else [found])
    assert all(one.time_us == (S - 2) * 1_000_000 for one in batch.attempts)
    assert reading.agents() == ({found[0]} if found and found[0] else set())
    assert [(one.agent, one.level, one.logger, one.text, one.time_us) for one in batch.logs] == [
        (0, Level.INFO, "mosquitto", line, (S - 2) * 1_000_000)
    ]
    assert not reading.send(LOG, f"{S}: {line}", Origin.REPLAY).logs


@pytest.mark.parametrize(
    ("line", "presence"),
    [
        ("Client c-1 disconnected.", Presence.STOPPED), ("Client c-1 closed its connection.", Presence.OFFLINE),
        ("Client c-1 has exceeded timeout, disconnecting.", Presence.OFFLINE), ("Socket error on client c-1, disconnecting.", Presence.OFFLINE),
        ("Client c-1 [10.0.0.7:1] disconnected: exceeded timeout.", Presence.OFFLINE),
        ("Client c-1 disconnected due to malformed packet.", Presence.OFFLINE),
        ("New client connected from 127.0.0.1:4 as c-1 (p5, c1, k60, u'ada').", Presence.ONLINE),
    ],
)  # fmt: skip
def test_an_agent_whose_id_is_the_client_s(line: str, presence: Presence) -> None:
    reading = Reading()
    reading.send("agents/c-1/status", {"state": "online"})
    batch = reading.send(LOG, f"{S}: {line}")
    assert told(reading, batch) == [("c-1", presence, Cause.BROKER, 3)]
    assert attempts(reading, batch) == ([("c-1", Outcome.OK, None, None)] if presence is Presence.ONLINE else [])


def test_an_agent_that_connected_before_it_published_anything() -> None:
    reading = Reading()
    for client in ("c-1", "reader", "c-1", "gone-1"):
        assert not attempts(
            reading, reading.send(LOG, f"{S}: New client connected from h:1 as {client} (p5, c1, k60).")
        )
    reading.send(LOG, f"{S}: Client gone-1 closed its connection.")
    batch = reading.read(
        reading.message("agents/c-1/metrics", {"metrics": {"x": 1}}), reading.message("agents/gone-1/metrics", {"x": 1})
    )
    assert attempts(reading, batch) == [("c-1", Outcome.OK, None, None)] * 2 + [("gone-1", Outcome.OK, None, None)]
    assert told(reading, batch) == [("c-1", Presence.ONLINE, Cause.BROKER, 3)]
    assert reading.agents() == {"c-1", "gone-1"}, "whoever only reads along is nobody"
    assert not reading.send("agents/c-1/metrics", {"metrics": {"x": 1}}).attempts
    for n in range(MOST_AWAITED + 10):
        reading.reader._sink.clients.connected(0, f"x-{n}", 1, reading.reader._sink)
    assert len(reading.reader._sink.clients._awaited) <= MOST_AWAITED


def test_a_followed_log_file_tells_the_same() -> None:
    reading = Reading()
    batch = reading.send("agents/box/tail/mosquitto.log", f"{S - 9}: Client bad-1 disconnected, not authorised.")
    assert attempts(reading, batch) == [REFUSED]
    [log] = batch.logs
    assert (reading.names.agents[log.agent], log.text, log.time_us) == (
        "box", "Client bad-1 disconnected, not authorised.", (S - 9) * 1_000_000,
    )  # fmt: skip
    assert reading.names.agents[batch.agent[0]] == "box"
    assert not reading.send("agents/box/tail/app.log", "Client bad-1 disconnected, not authorised.").attempts


def test_a_log_that_comes_by_topic_and_from_a_file_counts_once() -> None:
    reading = Reading()
    line = f"{S}: Client <unknown> disconnected, not authorised."
    found = [
        len(reading.send(topic, line).attempts)
        for topic in (LOG, LOG, "agents/box/tail/mosquitto.log", "agents/box/tail/mosquitto.log", LOG)
    ]
    assert found == [1, 1, 0, 0, 1], "two alike in one second are two"


def test_who_counts_its_connections_itself_is_not_counted_again() -> None:
    reading = Reading()
    reading.send("agents/c-1/metrics", {"metrics": {"agent.connection.attempts": 3}})
    for line in ("New client connected from h:1 as c-1 (p5, c1, k60).", "Client c-1 disconnected, not authorised."):
        assert not reading.send(LOG, f"{S}: {line}").attempts


def test_events_of_emqx() -> None:
    reading = Reading()
    reading.send("agents/c-1/status", {"state": "online"})
    root = "$SYS/brokers/emqx@127.0.0.1/clients"
    at = {"ts": (S - 1) * 1_000, "clientid": "c-1", "username": "ada", "ipaddress": "10.0.0.7", "proto_ver": 5}
    batch = reading.send(f"{root}/c-1/connected", at | {"connected_at": (S - 1) * 1_000, "connack": 0})
    assert attempts(reading, batch) == [("c-1", Outcome.OK, None, None)]
    assert batch.attempts[0].time_us == (S - 1) * 1_000_000
    assert batch.kind == [Kind.CONNECTION]
    for reason, presence in (("normal", Presence.STOPPED), ("keepalive_timeout", Presence.OFFLINE)):
        batch = reading.send(f"{root}/c-1/disconnected", at | {"reason": reason})
        assert told(reading, batch) == [("c-1", presence, Cause.BROKER, 3)]
    assert not reading.send(f"{root}/c-1/disconnected", at | {"reason": "takenover"}).evidence
    batch = reading.send(f"{root}/d-1/connected", {"clientid": "d-1", "connack": 135})
    assert attempts(reading, batch) == [("d-1", Outcome.REFUSED, "CONNACK 135", None)]
    batch = reading.send(f"{root}/a/b/connected", {"clientid": 5})
    assert not attempts(reading, batch)
    assert reading.reader._sink.clients._awaited.keys() == {"a/b"}
    assert [one.reason for one in reading.send(f"{root}/x/connected", "[]").unreadable] == ["shape"]
    assert not reading.send(f"{root}/x/subscribed", "?").unreadable


def test_events_of_aws_may_overtake_each_other() -> None:
    reading = Reading()
    reading.send("agents/c-1/status", {"state": "online"})
    base = {"clientId": "c-1", "timestamp": S * 1_000, "principalIdentifier": "x"}
    root = "$aws/events/presence"
    batch = reading.read(
        reading.message(f"{root}/connected/c-1", base | {"eventType": "connected", "versionNumber": 4}),
        reading.message(f"{root}/disconnected/c-1", base | {"versionNumber": 3, "disconnectReason": "CONNECTION_LOST"}),
        reading.message(f"{root}/disconnected/c-1", base | {"versionNumber": 6, "clientInitiatedDisconnect": True}),
        reading.message(f"{root}/connected/c-1", base | {"eventType": "connected", "versionNumber": 5}),
        reading.message(f"{root}/disconnected/d-1", {"clientId": "d-1", "disconnectReason": "AUTH_ERROR"}),
    )
    assert told(reading, batch) == [("c-1", Presence.ONLINE, Cause.BROKER, 3), ("c-1", Presence.STOPPED, Cause.BROKER, 3), ("d-1", Presence.OFFLINE, Cause.BROKER, 3)]  # fmt: skip
    assert attempts(reading, batch) == [("c-1", Outcome.OK, None, None)] * 2 + [
        ("d-1", Outcome.REFUSED, "AUTH_ERROR", None)
    ]
    assert not batch.unreadable
    assert not reading.send(f"{root}/connected/c-1", base, Origin.REPLAY).attempts


def aws(reading: Reading, event: str, version: int, at_s: int, **more: object) -> RecordBatch:
    body = {"clientId": "c-1", "timestamp": at_s * 1_000, "eventType": event, "versionNumber": version, **more}
    return reading.send(f"$aws/events/presence/{event}/c-1", body)


def test_both_ends_of_a_connection_to_aws_have_one_number() -> None:
    reading, base_s = Reading(), S
    reading.send("agents/c-1/status", {"state": "online"})
    left = aws(reading, "disconnected", 7, base_s, disconnectReason="CONNECTION_LOST")
    came = aws(reading, "connected", 7, base_s - 5)  # overtaken
    assert [one[1] for one in told(reading, left)] == [Presence.OFFLINE]
    assert told(reading, came) == []
    assert len(came.attempts) == 1
    again = aws(reading, "connected", 7, base_s - 5)  # twice
    assert [len(again.attempts), again.duplicate] == [0, [True]]
    assert [one[1] for one in told(reading, aws(reading, "connected", 9, base_s + 9))] == [Presence.ONLINE]
    late = aws(reading, "disconnected", 7, base_s, disconnectReason="CONNECTION_LOST")
    assert told(reading, late) == []


def test_the_numbers_of_aws_begin_again_after_an_hour_of_absence() -> None:
    reading, base_s = Reading(), S
    reading.send("agents/c-1/status", {"state": "online"})
    aws(reading, "disconnected", 7, base_s - 4_000, clientInitiatedDisconnect=True)
    assert [one[1] for one in told(reading, aws(reading, "connected", 0, base_s))] == [Presence.ONLINE]


def test_attempts_that_failed_at_aws() -> None:
    reading = Reading()
    batch = reading.send(
        "$aws/events/presence/connect_failed/d-1", {"clientId": "d-1", "connectFailureReason": "AUTHORIZATION_FAILED"}
    )
    assert attempts(reading, batch) == [("d-1", Outcome.REFUSED, "AUTHORIZATION_FAILED", None)]


@pytest.mark.parametrize("root", ["$events", "$event"])
def test_events_of_emqx_on_topics_of_their_own(root: str) -> None:
    reading = Reading()
    reading.send("agents/c-1/status", {"state": "online"})
    came = reading.send(f"{root}/client_connected", {"clientid": "c-1", "connected_at": ARRIVAL_US // 1_000})
    left = reading.send(f"{root}/client_disconnected", {"clientid": "c-1", "reason": "keepalive_timeout"})
    assert [one[1] for one in told(reading, came) + told(reading, left)] == [Presence.ONLINE, Presence.OFFLINE]
    assert len(came.attempts) == 1
    assert [one.reason for one in reading.send(f"{root}/client_connected", {"n": 1}).unreadable] == ["shape"]
    assert not reading.send(f"{root}/message_dropped", {"clientid": "c-1", "n": 1}).unreadable
    assert reading.agents() == {"c-1"}
    assert not reading.points


def test_clients_of_aedes() -> None:
    reading, root = Reading(), "$SYS/aedes-lab"
    batches = [
        reading.send(f"{root}/new/clients", "worker-1"), reading.send("fleet/worker-1/status", "online"),
        reading.send(f"{root}/new/subscribes", {"clientId": "worker-1", "subs": [{"topic": "x", "qos": 0}]}),
        reading.send(f"{root}/disconnect/clients", "worker-1"), reading.send(f"{root}/heartbeat", "aedes-lab"),
        reading.send(f"{root}/new/clients", "worker-1"), reading.send(f"{root}/new/clients", "mqttjs_1a2b"),
    ]  # fmt: skip
    assert attempts(reading, *batches) == [("worker-1", Outcome.OK, None, None)] * 2
    said = [one for batch in batches for one in told(reading, batch) if one[2] is Cause.BROKER]
    assert [one[1] for one in said] == [Presence.ONLINE, Presence.OFFLINE, Presence.ONLINE]
    assert reading.agents() == {"worker-1"}
    assert [reading.points, [one for batch in batches for one in batch.unreadable]] == [[], []]


def test_who_came_and_went_in_one_batch_is_gone() -> None:
    reading, keeper = Reading(), PresenceKeeper()
    batch = reading.read(
        reading.message(LOG, f"{S}: New client connected from h:1 as c-1 (p5, c1, k60)."),
        reading.message("agents/c-1/status", '{"state":"online"}'),
        reading.message(LOG, f"{S}: Client c-1 been disconnected by administrative action."),
        reading.message("x/y-1/cpu", "5"),
    )
    assert attempts(reading, batch) == [("c-1", Outcome.OK, None, None)]
    changes = keeper.observe(batch, Instant(ARRIVAL_US, ARRIVAL_US))
    assert [one.presence for one in changes if reading.names.agents[one.agent] == "c-1"] == [
        Presence.ONLINE, Presence.OFFLINE,
    ]  # fmt: skip


def test_the_broker_knows_better_than_a_word() -> None:
    reading, keeper = Reading(), PresenceKeeper()
    for topic, payload in (
        ("agents/c-1/status", '{"state":"online"}'),
        (LOG, f"{S}: New client connected from h:1 as c-1 (p5, c1, k60)."),
        ("agents/c-1/status", '{"state":"offline"}'),  # of another connection: a will that comes late
        (LOG, f"{S}: Client c-1 closed its connection."),
    ):  # fmt: skip
        batch = reading.send(topic, payload)
        changes = keeper.observe(batch, Instant(reading.now_us, reading.now_us))
        reading.now_us += 1_000_000
    assert [(one.presence, one.cause) for one in changes] == [(Presence.OFFLINE, Cause.BROKER)]


@pytest.mark.parametrize(
    ("client", "made_up"),
    [
        ("auto-137CCC1A-8B81-ABE0-D291-0097EC5B7530", True), ("mosq-abc123", True), ("mqttjs_1f2e3d", True), ("crawler-1", False),
        ("mosquitto-bridge", False), ("murmurscope-5f3a", True), ("5f0c7b3e-8a51-4a2b-9a06-0d9a3f5a1c11", True), ("paho", False),
    ],
)  # fmt: skip
def test_ids_that_nobody_keeps(client: str, made_up: bool) -> None:
    assert is_made_up(client) is made_up


def test_strangers_that_are_refused_do_not_take_the_room_of_agents() -> None:
    reading = Reading()
    for n in range(MOST_REFUSED + 50):
        batch = reading.send(
            "$SYS/broker/log/N", f"1795420056: Client bot{n} [10.0.0.7:4100] disconnected: not authorised."
        )
        assert len(batch.attempts) == 1
    assert len(reading.agents()) == MOST_REFUSED
    assert (batch.attempts[0].agent, batch.attempts[0].target) == (0, f"bot{MOST_REFUSED + 49}")
