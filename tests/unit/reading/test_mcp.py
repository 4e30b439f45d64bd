"""MCP over MQTT: servers, clients, requests in both directions."""

from typing import Any

import pytest

from models.domain.clock import Instant
from models.domain.messages import Kind, Origin, Properties
from models.domain.presence import PresenceKeeper
from models.domain.presence_words import Cause, Presence
from models.domain.records import Level, Outcome
from tests.helpers.reading import Reading, recorded

S = 1_000_000
PRESENCE, CONTROL, RPC = "$mcp-server/presence/srv/lab/calc", "$mcp-server/srv/lab/calc", "$mcp-rpc/cli/srv/lab/calc"
ONLINE = {"jsonrpc": "2.0", "method": "notifications/server/online", "params": {"description": "adds"}}


class Talk(Reading):
    """Messages a quarter of a second apart; `by`: who says it in the user properties."""

    def __init__(self) -> None:
        super().__init__()
        self.talks: list[tuple[str, str, str, int | None, Outcome]] = []

    def tell(self, topic: str, payload: object, by: str = "", origin: Origin = Origin.LIVE) -> Any:
        kind = {"srv": "mcp-server", "cli": "mcp-client"}.get(by)
        user = (("MCP-COMPONENT-TYPE", kind), ("MCP-MQTT-CLIENT-ID", by)) if kind else ()
        batch = self.send(topic, payload, origin, Properties(user=user))
        name = self.names.agents
        self.talks += [(name[one.sender], name[one.receiver], one.kind, *one[6:]) for one in batch.interactions]
        self.now_us += S // 4
        return batch

    def call(self, id_: object, method: str, by: str = "", topic: str = RPC, **params: object) -> Any:
        return self.tell(topic, {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}, by)

    def result(self, id_: object, by: str = "", **result: object) -> Any:
        return self.tell(RPC, {"jsonrpc": "2.0", "id": id_, "result": result}, by)

    def notice(self, method: str, by: str = "", topic: str = RPC, **params: object) -> Any:
        return self.tell(topic, {"jsonrpc": "2.0", "method": method, "params": params}, by)


def test_recording_of_the_sdk() -> None:
    reading, keeper, presence = Reading(), PresenceKeeper(), {}
    name = reading.names.agents
    talks: list[Any] = []
    senders: list[str] = []
    declared: dict[str, Any] = {}
    for message in recorded("mcp-over-mqtt-emqx-sdk"):
        batch = reading.read(message)
        for change in keeper.observe(batch, Instant(message.received_us, message.received_us)):
            presence.setdefault(name[change.agent], []).append(change.presence)
        talks += batch.interactions
        senders.append(name[batch.agent[0]])
        declared |= {
            name[one.agent]: (one.convention, one.name, one.version, one.capabilities) for one in batch.declarations
        }
        assert [batch.unreadable, batch.tasks, batch.logs] == [[], [], []]
    assert reading.agents() == {"calc-srv-1", "helper-cli-7"}
    assert not reading.points
    assert [(name[one.sender], name[one.receiver], one.kind, one.id, one.outcome) for one in talks] == [
        ("helper-cli-7", "calc-srv-1", kind, str(i), outcome)
        for i, (kind, outcome) in enumerate((
            ("initialize", Outcome.OK), ("tools/list", Outcome.OK), ("tools/call", Outcome.OK), ("tools/call", Outcome.OK),
            ("tools/call", Outcome.ERROR),
        ))
    ]  # fmt: skip
    assert all(1_000 < one.reply_us < 13_000 for one in talks)
    server, client = "calc-srv-1", "helper-cli-7"
    turns = [server, client, server, client, *(client, server) * 4, client, server]
    assert senders == turns
    assert declared == {
        server: ("mcp", "lab/calculator", "1.0", ("add", "divide")), client: ("mcp", "mcp", "0.1.0", None),
    }  # fmt: skip
    assert presence == {
        server: [Presence.ONLINE, Presence.OFFLINE], client: [Presence.ONLINE, Presence.OFFLINE],
    }  # fmt: skip


def test_a_server_s_presence_is_retained_and_emptied() -> None:
    talk = Talk()
    assert not talk.tell(PRESENCE, b"").evidence
    assert not talk.agents()  # whoever was never seen is not made by that it is gone
    [there] = talk.tell(PRESENCE, ONLINE, "srv").evidence
    [gone] = talk.tell(PRESENCE, b"").evidence
    assert (there.presence, gone.presence, gone.rank) == (Presence.ONLINE, Presence.OFFLINE, 2)
    batch = Talk().tell(PRESENCE, ONLINE, "srv", Origin.REPLAY)
    assert (batch.evidence, batch.remembered, batch.declarations[0].name) == ([], [0], "lab/calc")


def test_a_client_s_goodbye() -> None:
    talk = Talk()
    batch = talk.notice("notifications/disconnected", "cli", "$mcp-client/presence/cli")
    assert [(one.presence, one.cause) for one in batch.evidence] == [(Presence.OFFLINE, Cause.STATUS)]
    assert batch.kind == [Kind.STATUS]
    assert not talk.notice("notifications/disconnected", "srv").evidence  # on their topic: with each other only


@pytest.mark.parametrize("told", [True, False])
def test_requests_go_both_ways(told: bool) -> None:
    server, client = ("srv", "cli") if told else ("", "")
    talk = Talk()
    talk.call(1, "tools/call", client, name="add")
    talk.call(1, "sampling/createMessage", server)
    talk.result(1, client, role="assistant")
    if told:
        talk.result(1, server, content=[])
        assert talk.talks == [
            ("srv", "cli", "sampling/createMessage", S // 4, Outcome.OK), ("cli", "srv", "tools/call", 3 * S // 4, Outcome.OK),
        ]  # fmt: skip
    else:
        talk.result(1, server, content=[])
        assert {(one[0], one[2]) for one in talk.talks} == {("srv", "sampling/createMessage"), ("cli", "tools/call")}


def test_a_client_that_does_not_say_who_it_is_is_known_by_the_answer() -> None:
    talk = Talk()
    talk.call("i", "initialize", topic=CONTROL, clientInfo={"name": "Helper"})
    assert talk.agents() == {"srv"}
    talk.result("i", serverInfo={"name": "x", "version": "3"})
    assert talk.talks == [("cli", "srv", "initialize", S // 4, Outcome.OK)]


def test_failures_of_tools_and_of_the_protocol() -> None:
    talk = Talk()
    talk.call(1, "tools/call", "cli")
    talk.result(1, "srv", isError=True)
    talk.call(2, "tools/call", "cli")
    talk.tell(RPC, {"jsonrpc": "2.0", "id": 2, "error": {"code": -32602, "message": "no"}}, "srv")
    assert [one[-1] for one in talk.talks] == [Outcome.ERROR, Outcome.ERROR]


def test_what_was_cancelled_times_out_for_nobody_and_progress_prolongs() -> None:
    talk = Talk()
    talk.call(1, "tools/call", "cli")
    talk.call(2, "tools/call", "cli")
    talk.notice("notifications/cancelled", "cli", requestId=1)
    for _ in range(3):
        talk.now_us += 50 * S
        talk.notice("notifications/progress", "srv", progressToken=2)
    talk.result(2, "srv")
    talk.now_us += 61 * S
    talk.notice("notifications/initialized", "cli")
    assert [one[2:] for one in talk.talks] == [("tools/call", 151 * S + S // 4, Outcome.OK)]


def test_several_calls_in_one_message() -> None:
    talk = Talk()
    talk.tell(RPC, [{"jsonrpc": "2.0", "id": i, "method": "ping"} for i in range(3)], "cli")
    talk.tell(RPC, [{"jsonrpc": "2.0", "id": i, "result": {}} for i in range(3)], "srv")
    assert len(talk.talks) == 3


def test_a_server_s_log() -> None:
    talk = Talk()
    batch = talk.notice("notifications/message", "srv", level="critical", logger="db", data={"message": "full", "n": 1})
    [one] = batch.logs
    assert (one.level, one.logger, one.text, one.attributes) == (Level.FATAL, "db", "full", '{"message":"full","n":1}')
    [one] = talk.notice("notifications/message", "srv", level="notice", data="plain").logs
    assert (one.level, one.text, one.attributes) == (Level.INFO, "plain", None)
    assert batch.kind == [Kind.LOG]


def test_what_is_told_again_is_no_news() -> None:
    talk = Talk()
    news = []
    for _ in range(3):
        news += talk.tell(PRESENCE, ONLINE, "srv").declarations
        talk.call(1, "initialize", "cli", CONTROL, clientInfo={"name": "Helper", "version": "1"})
        news += talk.result(1, "srv", serverInfo={"name": "x", "version": "3"}).declarations
        news += talk.result(2, "srv", tools=[{"name": "add"}, 5, {"name": 5}]).declarations
    assert [(one.name, one.version, one.capabilities) for one in news] == [
        ("lab/calc", None, None), ("lab/calc", "3", None), ("lab/calc", "3", ("add",)),
    ]  # fmt: skip


def test_lists_changed_are_the_server_s_word() -> None:
    talk = Talk()
    batch = talk.notice("notifications/tools/list_changed", topic="$mcp-server/capability/srv/lab/calc")
    assert talk.names.agents[batch.agent[0]] == "srv"
    batch = talk.notice("notifications/roots/list_changed", topic="$mcp-client/capability/cli")
    assert talk.names.agents[batch.agent[0]] == "cli"
    assert not talk.talks


@pytest.mark.parametrize("payload", [b"online", {"a": 1}, [], b"\xff"])
def test_what_is_no_json_rpc_is_unreadable_and_makes_nobody(payload: object) -> None:
    for topic in (PRESENCE, RPC, CONTROL, "$mcp-client/presence/cli"):
        talk = Talk()
        assert len(talk.tell(topic, payload).unreadable) == 1
        assert not talk.agents()


@pytest.mark.parametrize("topic", ["$mcp-rpc", "$mcp-rpc/cli", "$mcp-rpc/cli/srv", "$mcp-server/x", "$mcp-client/x/y"])
def test_other_topics_are_nobody_s(topic: str) -> None:
    talk = Talk()
    assert not talk.tell(topic, ONLINE, "srv").unreadable
    assert not talk.agents()
