"""What agents say to each other, broken in every way: nothing escapes, no text that cannot be stored, nothing without bounds."""

import json
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest

from models.domain.messages import Origin, Properties, RawMessage
from tests.helpers.reading import ARRIVAL_US, Reading
from tests.unit.reading.test_fuzz import ODD, mutated

SEED = 20_261_128
RPC: dict[str, Any] = {"jsonrpc": "2.0", "id": "r"}
STATUS = {"state": "TASK_STATE_WORKING", "timestamp": "2026-11-23T07:47:30Z", "message": {"parts": [{"text": "t"}]}}
CARD = {"name": "planner", "version": "1", "skills": [{"id": "s", "name": "S"}], "capabilities": {}}
LONG_ID = "uqUz1pB_lSOoVh0Ck1xq7w"
EVENT = {"hostname": "celery@b-1", "utcoffset": 0, "timestamp": 1_795_420_050.5}
CE = {"specversion": "1.0", "type": "t", "source": "/fleet/crawler-1", "id": "1", "data_base64": "eyJxIjoxfQ=="}
SAID: dict[str, list[object]] = {
    "$a2a/v1/discovery/o/u/planner": [CARD, b""],
    "$a2a/v1/request/o/u/planner": [
        RPC | {"method": "SendMessage", "params": {"message": {"taskId": "t", "parts": []}, "metadata": {"sender": "x"}}},
        RPC | {"method": "CancelTask", "params": {"id": "t"}}, [RPC | {"method": "GetTask"}],
    ],
    "$a2a/v1/request/o/u/pool/p": [RPC | {"method": "message/stream", "params": {"message": {"taskId": "p"}}}],
    "$a2a/v1/reply/o/u/client/3ba5b6fd": [
        RPC | {"result": {"statusUpdate": {"taskId": "t", "status": STATUS}}},
        RPC | {"result": {"artifactUpdate": {"taskId": "t", "artifact": {"parts": [{"data": {"n": 1}}]}, "append": True}}},
        RPC | {"result": {"task": {"id": "t", "status": STATUS | {"state": "failed"}, "artifacts": [{"parts": []}]}}},
        RPC | {"result": {"kind": "status-update", "taskId": "t", "status": STATUS, "final": True}},
        RPC | {"error": {"code": -32004, "message": "m", "data": {}}},
    ],
    "$a2a/v1/event/o/u/planner": [{"taskId": "t", "status": STATUS}],
    "$mcp-server/presence/srv/lab/calc": [{"jsonrpc": "2.0", "method": "notifications/server/online", "params": {}}, b""],
    "$mcp-server/srv/lab/calc": [RPC | {"method": "initialize", "params": {"clientInfo": {"name": "n", "version": "1"}}}],
    "$mcp-client/presence/cli": [{"jsonrpc": "2.0", "method": "notifications/disconnected"}],
    "$mcp-rpc/cli/srv/lab/calc": [
        RPC | {"method": "tools/call", "params": {"name": "add"}}, RPC | {"result": {"isError": True, "content": []}},
        RPC | {"result": {"tools": [{"name": "add"}], "serverInfo": {"name": "s", "version": "1"}}},
        {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "error", "logger": "l", "data": {"msg": "x"}}},
        {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "r"}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "r"}},
    ],
    "ns/x/a2a/v1/discovery/agentcards": [CARD],
    "ns/x/a2a/v1/agent/request/planner": [RPC | {"method": "message/send", "params": {"message": {"metadata": {"parentTaskId": "t"}}}}],
    "ns/x/a2a/v1/gateway/response/gw/r": [RPC | {"result": {"kind": "task", "id": "r", "status": STATUS, "metadata": {"agent_name": "planner"}}}],
    "publish/amq/topic": [{"agent": "a-1", "n": 1}], "publish/": [{"agent": "a-1", "n": 1}], "deliver/q": [{"agentId": 5, "n": 1}],
    "$CONTROL/dynamic-security/v1": [{"commands": [{"command": "c", "correlationData": "q"}]}],
    "$CONTROL/dynamic-security/v1/response": [{"responses": [{"command": "c", "correlationData": "q", "error": "e"}]}],
    "calc/request": [{"correlationId": "1", "from": "ui-1", "replyTo": "ui/box", "a": 1}, RPC | {"method": "add"}],
    "calc/response": [{"correlationId": "1", "sum": 2}, RPC | {"result": 2}],
    "team/cmd/b-1/request": [{"id": "t", "from": "a", "to": "b-1", "status": "pending", "type": "x"}],
    "team/cmd/b-1/response": [{"id": "t", "from": "b-1", "to": "a", "status": "completed", "result": {"n": 1}, "n": 5}],
    "b-1/tasks/1234/status": [{"state": "running", "progress": 0.5, "attempt": 1}],
    "shelly-1/rpc": [{"id": 1, "src": "user_1", "method": "Switch.Set", "params": {}}],
    "user_1/rpc": [{"id": 1, "src": "shelly-1", "result": {"n": 1}}, {"id": 1, "error": {"code": 404}}],
    "/rpc/v1/db/history/get/cli-1": [{"id": 1, "params": {"n": 5}}], "/rpc/v1/db/history/get/cli-1/reply": [{"id": 1, "result": None}],
    "devices/p-7/rpc/request/22": [{"method": "start", "params": {"n": 5}}], "devices/p-7/rpc/response/22": [{"ok": True}, {"n": 1}],
    "calc/cmd": [{"transaction": "12345678"}],
    "home/backup/req": [{"v": 1, "t": "req", "id": LONG_ID, "p": {}}], "home/backup/prg": [{"t": "prg", "id": LONG_ID, "p": {"n": 5}}],
    "svc/scale-1/json/call/weigh/x": [RPC | {"method": "weigh", "id": LONG_ID}],
    f"svc/scale-1/json/result/{LONG_ID}/x": [{"jsonrpc": "2.0", "method": "weigh", "result": {"error": {"code": 5}}}],
    "svc/scale-1/notification/tick": [{"jsonrpc": "2.0", "method": "tick", "params": {}}],
    "agents/coder/inbox": [
        {"id": "m", "from": "planner", "to": "coder", "type": "question", "body": "b"},
        {"from": "coder", "to": "planner", "content": "c", "in_reply_to": "m"},
    ],
    "ui/box": [{"part": 1}, b"42"],
    "worker/heartbeat": [EVENT | {"type": "worker-heartbeat", "freq": 2, "active": 1, "loadavg": [1, 2, 3], "sw_ver": "5"}],
    "task/multi": [[
        EVENT | {"type": "task-received", "uuid": "t", "name": "add", "retries": 0, "parent_id": "p"},
        EVENT | {"type": "task-succeeded", "uuid": "t", "result": "1", "runtime": 0.1},
    ]],
    "task/sent": [EVENT | {"type": "task-sent", "uuid": "t", "name": "add"}],
    "MOL.REQ.b-1": [{"id": "t", "action": "a", "sender": "b-2", "ver": "4"}], "MOL.RES.b-2": [{"id": "t", "success": False, "sender": "b-1"}],
    "MOL-dev/HEARTBEAT": [{"cpu": 5, "sender": "b-1"}], "MOL.EVENT.b-1": [{"event": "e", "sender": "b-2"}],
    "MOL.INFO": [{"sender": "b-1", "hostname": "h", "services": [{"actions": {"a.b": {}}}]}], "MOL.DISCONNECT": [{"sender": "b-1"}],
    "orders/sum": [{"pattern": "orders/sum", "data": [1], "id": "t"}, {"pattern": {"cmd": "x"}, "data": {"n": 1}}],
    "orders/sum/reply": [{"response": 3, "isDisposed": True, "id": "t"}, {"err": {}, "id": "t"}],
    "d/b-1/__agentInfo__": [{"status": "online", "hostname": "h", "v": 3}, b""],
    "d/b-1/Counter/c-1/add": [{"a": [5], "i": "t", "s": "d/h/cli", "v": 3}],
    "d/h/cli": [{"i": "t", "s": "d/h/cli", "v": 3, "r": "__p__t"}, {"i": "__p__t", "s": "d/h/cli", "v": 3, "e": {}}],
    "ns/x/sam/events/session/deleted": [{"source_component": "x", "data": {"n": 1}}],
    "$SYS/a/new/clients": [b"b-1"], "$SYS/a/disconnect/clients": [b"b-1", {"n": 1}],
    "$events/client_connected": [{"clientid": "b-1", "connected_at": 1}],
    "$aws/events/presence/connected/b-1": [{"clientId": "b-1", "timestamp": 1, "versionNumber": 3}],
    "$aws/events/presence/disconnected/b-1": [{"clientId": "b-1", "timestamp": 1, "versionNumber": 3, "disconnectReason": "x"}],
    "events/all": [CE | {"data": {"queue": 1}}, [CE, CE | {"source": "/b", "data": {"level": "info", "message": "m"}}]],
}  # fmt: skip
TEXTS = [
    "",
    "x",
    "online",
    "offline",
    "agent",
    "lwt",
    "broker",
    "mcp-server",
    "mcp-client",
    "srv",
    "cli",
    "\0",
    "\u202e",
    "é" * 300,
]
USER = ["a2a-status", "a2a-status-source", "a2a-responder-agent-id", "a2a-requester-agent-id", "a2a-event-type", "agent",
        "MCP-COMPONENT-TYPE", "MCP-MQTT-CLIENT-ID", "replyTo", "clientId", "delegating_agent_name", "__stat", "status", "specversion", "source", "type", "id"]  # fmt: skip
ANSWERED = [None, "", "$a2a/v1/reply/o/u/client/3ba5b6fd", "ui/box", "$a2a/v1", "/", "x" * 70_000, "\0"]


def broken(chance: random.Random, value: Any) -> Any:
    """The same value with something odd in it, at any depth."""
    if chance.random() < 0.08:
        return chance.choice(ODD)
    if isinstance(value, dict):
        told = {key: broken(chance, one) for key, one in value.items() if chance.random() > 0.04}
        return told | (
            {chance.choice(["id", "error", "result", "method", "kind"]): chance.choice(ODD)}
            if chance.random() < 0.1
            else {}
        )
    return [broken(chance, one) for one in value] * chance.choice([1, 1, 1, 0, 3]) if isinstance(value, list) else value


def arrivals(count: int, seed: int) -> Iterator[RawMessage]:
    chance = random.Random(seed)
    topics = list(SAID)
    now_us = ARRIVAL_US
    for _ in range(count):
        topic = chance.choice(topics)
        said = chance.choice(SAID[topic])
        payload = (
            said
            if isinstance(said, bytes)
            else json.dumps(broken(chance, said) if chance.random() < 0.7 else said).encode()
        )
        if chance.random() < 0.2:
            payload = mutated(chance, payload)
        if chance.random() < 0.1:
            levels = topic.split("/")
            topic = "/".join(
                chance.choice(
                    [levels[:-1], [*levels, chance.choice(TEXTS)], levels[1:], chance.sample(levels, len(levels))]
                )
            )
        properties = None
        if chance.random() < 0.7:
            user = tuple((chance.choice(USER), chance.choice(TEXTS)) for _ in range(chance.randint(0, 3)))
            content = chance.choice([None, None, "application/json", "application/jose", "application/cloudevents"])
            properties = Properties(
                content, chance.choice(ANSWERED), chance.choice([None, b"", b"c", b"\xff" * 900]), None, user
            )
        now_us += chance.choice([0, 1000, 100_000, 5_000_000])
        yield RawMessage(
            topic.encode(), payload, 0, False, False, 0, properties, now_us, chance.choice(list(Origin)), 1
        )


def read_all(count: int, caplog: pytest.LogCaptureFixture, seed: int = SEED) -> None:
    reading = Reading()
    messages = list(arrivals(count, seed))
    with caplog.at_level(logging.ERROR):
        for i in range(0, count, 250):
            batch = reading.read(*messages[i : i + 250])  # checks the rows
            assert not [one for one in batch.unreadable if one.reason == "bug"], caplog.text
            for records in (batch.tasks, batch.interactions, batch.declarations, batch.logs):
                for one in records:
                    "".join(part for part in one if isinstance(part, str)).encode()
            assert all(one.reply_us is None or one.reply_us >= 0 for one in batch.interactions)
            assert all(-(1 << 63) <= one.time_us < 1 << 63 for one in (*batch.tasks, *batch.interactions))
    assert not caplog.records
    "".join(reading.names.agents).encode()


def test_broken_talk(caplog: pytest.LogCaptureFixture) -> None:
    read_all(15_000, caplog)


@pytest.mark.long
@pytest.mark.parametrize("part", range(8))
def test_broken_talk_at_length(part: int, caplog: pytest.LogCaptureFixture) -> None:
    read_all(50_000, caplog, SEED + 1 + part)
