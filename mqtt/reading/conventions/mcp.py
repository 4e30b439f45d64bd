"""MCP over MQTT: servers that announce themselves, clients, and the JSON-RPC between a pair of them on one topic.

Both are named by their client ids. Who speaks says a user property; without it, the method or the open request does.
"""

from typing import Any

from models.domain.messages import Kind, Origin, Properties, RawMessage
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.records import Declaration, Level, Outcome
from mqtt.reading.contract_work import as_text, put_log
from mqtt.reading.conventions.a2a_talk import user_property
from mqtt.reading.decode import strip
from mqtt.reading.exchange import Request, Sent
from mqtt.reading.json_rpc import Call, read_calls
from mqtt.reading.log_levels import LEVEL_WORDS
from mqtt.reading.log_shapes import LogRecord
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Plan, Sink

SOURCE = "mcp"
MOST_TOOLS = 200
LONGEST_TEXT = 256
"""Characters of what one says of itself in one place."""
MOST_KNOWN = 20_000
_RANK = 2  # its birth, and what its will says
_NOTHING = Properties()
_GONE = "notifications/disconnected"
_OF_SERVERS = frozenset((
    "sampling/createMessage", "roots/list", "elicitation/create", "notifications/message", "notifications/resources/updated",
    "notifications/resources/list_changed", "notifications/tools/list_changed", "notifications/prompts/list_changed",
    "notifications/elicitation/complete",
))  # fmt: skip
"""What only servers send."""


class Known:
    """What servers and clients said of themselves, bit by bit. Bounded: beyond it all is heard anew."""

    def __init__(self) -> None:
        self._said: dict[int, dict[str, Any]] = {}

    def meet(self, row: int, name: str, sink: Sink) -> int:
        """Id of a server or client, who is said to be one when first met; 0 without a name."""
        agent = sink.agent(name) if name else 0
        if agent and agent not in self._said:
            self.declare(row, agent, sink)
        return agent

    def declare(self, row: int, agent: int, sink: Sink, **said: Any) -> None:
        """Tell what is news."""
        if len(self._said) >= MOST_KNOWN and agent not in self._said:
            self._said.clear()
        known = self._said.setdefault(agent, {})
        known.update({key: value for key, value in said.items() if value})
        declaration = Declaration(row, agent, SOURCE, **known)
        if sink.declarations.is_news(declaration, sink.names.agents[agent]):
            sink.batch.declarations.append(declaration)


class McpRecogniser:
    """`$mcp-server/…`, `$mcp-client/…`, `$mcp-rpc/<client>/<server>/<name>`."""

    uses_declarations = False

    def __init__(self) -> None:
        self._known = Known()

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        root, below = levels[0], levels[1:]
        if root not in ("$mcp-server", "$mcp-client", "$mcp-rpc"):
            return None
        if len(below) < 2 or not all(below[:2]):
            return OtherPlan(topic)
        if root == "$mcp-rpc":
            return RpcPlan(topic, below[0], below[1], self._known) if len(below) > 2 else OtherPlan(topic)
        if below[0] == "presence":
            plan = ServerPresencePlan if root == "$mcp-server" else ClientPresencePlan
            return plan(topic, below[1], "/".join(below[2:]), self._known)
        if root == "$mcp-server":
            return RpcPlan(topic, "", below[1] if below[0] == "capability" else below[0], self._known)
        return RpcPlan(topic, below[1], "", self._known) if below[0] == "capability" else OtherPlan(topic)


class ServerPresencePlan:
    """Retained while a server is there; emptied by its goodbye and its will alike."""

    kind = Kind.STATUS

    def __init__(self, topic: int, server: str, name: str, known: Known) -> None:
        self.topic, self._server, self._name, self._known = topic, server, name, known
        self.agent = 0

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if not strip(message.payload):
            sink.remember(row)
            self.agent = sink.batch.agent[row] = sink.names.known_agent(self._server)
            if self.agent:
                _say(row, self.agent, Presence.OFFLINE, sink)
            return
        read_calls(message.payload)
        self.agent = sink.batch.agent[row] = sink.agent(self._server)
        sink.remember(row)
        self._known.declare(row, self.agent, sink, name=self._name)
        _say(row, self.agent, Presence.ONLINE, sink)


class ClientPresencePlan:
    """A client's goodbye, and its will."""

    kind = Kind.STATUS

    def __init__(self, topic: int, client: str, _: str, known: Known) -> None:
        self.topic, self._client, self._known = topic, client, known
        self.agent = 0

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        [call, *_] = read_calls(message.payload)
        self.agent = sink.batch.agent[row] = sink.agent(self._client)
        self._known.declare(row, self.agent, sink)
        if call.method == _GONE:
            _say(row, self.agent, Presence.OFFLINE, sink)


class RpcPlan:
    """What one client and one server tell each other; an end that the topic does not name is whoever its properties name."""

    kind = Kind.MESSAGE
    agent = 0

    def __init__(self, topic: int, client: str, server: str, known: Known) -> None:
        self.topic, self._client, self._server, self._known = topic, client, server, known

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        calls = read_calls(message.payload)
        properties = message.properties or _NOTHING
        component = user_property(properties, "MCP-COMPONENT-TYPE")
        told = user_property(properties, "MCP-MQTT-CLIENT-ID")
        client_name = self._client or (told if component != "mcp-server" and told != self._server else "")
        client, server = self._known.meet(row, client_name, sink), self._known.meet(row, self._server, sink)
        for call in calls:
            by_server = self._by_server(component, told, call, client, server, sink)
            ends = (server, client) if by_server else (client, server)
            sink.batch.agent[row] = ends[0]
            if call.method:
                self._ask(row, message, call, ends, sink)
            else:
                self._answer(row, message, call, ends, sink)

    def _by_server(self, component: str, told: str, call: Call, client: int, server: int, sink: Sink) -> bool:
        if not self._server:
            return False
        if component in ("mcp-server", "mcp-client"):
            return component == "mcp-server"
        if told and told in (self._server, self._client):
            return told == self._server
        if call.method or not self._client:
            return call.method in _OF_SERVERS
        return sink.exchange.waiting((SOURCE, server, client, call.id)) is None

    def _ask(self, row: int, message: RawMessage, call: Call, ends: tuple[int, int], sink: Sink) -> None:
        sender, receiver = ends
        if call.id:
            keys = ((SOURCE, *ends, call.id),)
            sent = Sent(None, message.received_us, message.origin)
            sink.exchange.ask(Request(sent, sender, receiver, call.method, call.id, keys))
        elif call.method == "notifications/message":
            sink.batch.kind[row] = Kind.LOG
            put_log(sink, row, sender, message, _log(call.params))
        elif call.method == "notifications/cancelled":
            sink.exchange.withdraw((SOURCE, *ends, as_text(call.params.get("requestId"))))
        elif call.method == "notifications/progress":
            token = as_text(call.params.get("progressToken"))
            sink.exchange.hear((SOURCE, receiver, sender, token), message.received_us)
        if call.method == "initialize":
            self._known.declare(row, sender, sink, **_info(call.params.get("clientInfo"), "name", "version"))

    def _answer(self, row: int, message: RawMessage, call: Call, ends: tuple[int, int], sink: Sink) -> None:
        sender, receiver = ends
        result: dict[str, Any] = call.result if isinstance(call.result, dict) else {}
        failed = call.error is not None or result.get("isError") is True
        sent = Sent(None, message.received_us, message.origin)
        for asker in (receiver, 0):  # 0: it did not say who it was
            key = (SOURCE, asker, sender, call.id)
            done = sink.exchange.answer(key, row, sent, Outcome.ERROR if failed else Outcome.OK)
            if done is not None:
                sink.batch.interactions.append(done._replace(sender=receiver))
                break
        if "serverInfo" in result:
            self._known.declare(row, sender, sink, **_info(result["serverInfo"], "version"))
        tools = result.get("tools")
        if isinstance(tools, list):
            names = [one.get("name") for one in tools[:MOST_TOOLS] if isinstance(one, dict)]
            self._known.declare(
                row, sender, sink, capabilities=tuple(one[:LONGEST_TEXT] for one in names if isinstance(one, str))
            )


def _say(row: int, agent: int, presence: Presence, sink: Sink) -> None:
    sink.say(row, agent, (presence, Condition.OK), Cause.STATUS, _RANK)


def _info(told: object, *keys: str) -> dict[str, str]:
    """Of an implementation, such as `clientInfo`."""
    body = told if isinstance(told, dict) else {}
    return {key: body[key][:LONGEST_TEXT] for key in keys if isinstance(body.get(key), str)}


def _log(params: dict[str, Any]) -> LogRecord:
    word, data, logger = params.get("level"), params.get("data"), params.get("logger")
    level = LEVEL_WORDS.get(word.casefold(), Level.INFO) if isinstance(word, str) else Level.INFO
    told = data.get("message", data.get("msg")) if isinstance(data, dict) else data
    text, more = (told, as_text(data)) if isinstance(told, str) and told != data else (as_text(data) or "", None)
    return LogRecord(level, None, logger if isinstance(logger, str) else None, text, None, None, more)
