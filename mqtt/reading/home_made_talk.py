"""Requests and replies on topics that follow no convention: a request and its reply are talk, never figures.

They belong together by MQTT 5 (a request has a response topic and correlation data, its reply the latter), or by an id in
their JSON: that of JSON-RPC, or one under a key such as `correlationId`, where the request says where to reply, or both
topics say what they are (`calc/request`, `calc/response`). Whoever the request's topic is of was asked, and is an agent
once it answered.
"""

from collections.abc import Hashable
from typing import Any

from models.domain.messages import Kind, Origin, Properties, RawMessage
from models.domain.records import Outcome, TaskState
from models.domain.timestamps import read_time
from mqtt.reading.contract_work import as_text, outcome_of
from mqtt.reading.decode import read_object
from mqtt.reading.exchange import Request, Sent, correlation_key
from mqtt.reading.generic_topics import (
    AGENT_KEYS,
    agent_in,
    announces,
    is_passing,
    is_role,
    levels_of,
    names_agent,
    place,
)
from mqtt.reading.home_made_messages import take_message
from mqtt.reading.home_made_pairs import Awaited, pair_of
from mqtt.reading.home_made_tasks import TASK_KEYS, Told, levels_beside, of_tasks, read_task
from mqtt.reading.plan import Sink, Unread

_IDS = ("correlationId", "correlation_id", "correlationID", "transaction", "requestId", "request_id")
_TALK_KEYS = frozenset((*_IDS, "jsonrpc")) | TASK_KEYS
_AND_IDS = _TALK_KEYS | {"id", "state", "status"}
_REPLY_TO = ("replyTo", "reply_to", "responseTopic", "response_topic")
_SENDERS = (*AGENT_KEYS, "from", "sender", "caller", "caller_id", "client", "clientId", "client_id")
_RESPONDERS = (*AGENT_KEYS, "from", "src", "sender")
_SOURCE_ID = "__srcId"  # Azure IoT Operations; its status of a reply is `__stat`
_CALLERS = (*_SENDERS, _SOURCE_ID, "__invId")
_AFTERWARDS = frozenset("ack rak cancel cancelled cancel_request cnl".split())
"""Types of messages about a request that is none."""
_KINDS = ("method", "type", "command", "action", "name")
_REQUESTS = frozenset(
    "request requests req rpc call calls command commands cmd cmnd query ask set get inbox in".split()
)
_REPLIES = frozenset(
    "response responses resp res reply replies answer answers result results ack callback outbox out".split()
)
_SURE_REQUESTS = frozenset("request requests req rpc command commands cmd cmnd query ask".split())
_SURE_REPLIES = frozenset("response responses reply replies".split())
_OWN_ID, _SURE_ID = 8, 16
"""Characters from which on an id is believed to be nobody else's, and from which on whatever repeats it is about the same."""
_TOLD_BY_OWNER = frozenset(("notification", "notifications", "event", "events"))
_CODES = frozenset(("status", "statusCode", "status_code", "code"))
MOST_TOPICS = 10_000
_WORD = "json"
_WHOEVER = "me"  # in a topic of ThingsBoard: the device that is connected


def is_addressed(properties: Properties) -> bool:
    """Whether MQTT 5 says that a message wants a reply, or is one."""
    return properties.correlation is not None or bool(properties.response_topic)


def talk_keys(levels: list[str]) -> frozenset[str]:
    """An object on this topic without any of these keys is nothing to `take_object`. A mere `id` counts where the topic says
    that it is one of requests, replies or tasks."""
    talks = of_tasks(levels) or not (_SURE_REQUESTS | _REPLIES).isdisjoint(level.casefold() for level in levels)
    return _AND_IDS if talks else _TALK_KEYS


class HomeMadeTalk:
    """Joins them. `prefix`: below it, the next level is the agent."""

    def __init__(self, prefix: list[str]) -> None:
        self._prefix = prefix
        self._of_replies: set[bytes] = set()  # topics that requests named: a correlation there is a reply's
        self.awaited = Awaited()
        self._of_progress: set[bytes] = set()  # topics of what is told on the way to a reply

    def take_correlated(self, row: int, message: RawMessage, free: bool, sink: Sink) -> bool:
        """Join by MQTT 5. True where the message is talk and nothing else; `free`: no convention reads its topic, which
        would say itself what a request is."""
        if message.origin is Origin.REPLAY:
            return False
        properties = message.properties
        correlation = None if properties is None else properties.correlation
        if properties is not None and properties.response_topic:
            if free:
                reply_topic = properties.response_topic.encode("utf-8", "replace")
                _note(self._of_replies, reply_topic)
                key = (
                    self.awaited.next(reply_topic) if correlation is None else correlation_key(reply_topic, correlation)
                )
                self._ask(row, message, _object(message.payload), properties.response_topic, "", [key], sink)
            return free
        found = (
            self.awaited.first(message.topic, sink.exchange)
            if correlation is None
            else correlation_key(message.topic, correlation)
        )
        request = None if found is None else sink.exchange.waiting(found)
        if request is None:
            if free and correlation is not None and message.topic in self._of_replies:
                sink.batch.agent[row], sink.batch.kind[row] = 0, Kind.MESSAGE  # once more, too late, or one of several
                return True
            return False
        self._answer(row, message, _object(message.payload), found, request, free, sink)
        return free

    def take_object(self, row: int, message: RawMessage, body: dict[str, Any], presence: bool, sink: Sink) -> bool:
        """Join by an id in the payload, and report what it says of a task. True where it is nothing but talk and task;
        `presence`: the topic is one of its agent's status."""
        if message.origin is Origin.REPLAY:
            return False
        levels = levels_of(message.topic)
        told = read_task(row, message, body, levels, presence)
        state = None if told is None else told.report.state
        if told is not None:
            self._report(row, message, told, levels, sink)
        return self._join(row, message, body, levels, state, sink) or (told is not None and told.alone)

    def take_other(self, row: int, message: RawMessage, body: dict[str, Any], sink: Sink) -> bool:
        """Take what is said on the way to a reply (progress, a beat), what agents tell each other by name, and replies to what
        cannot be told. True where it is that."""
        if message.origin is Origin.REPLAY:
            return False
        if self._take_pair(row, message, body, sink):
            return True
        if "id" in body and self._goes_on(row, message, body["id"], sink):
            return True
        if "from" in body and "to" in body and take_message(row, message, body, sink):
            return True
        if not isinstance(body.get("ok", body.get("success")), bool) or not _says_reply(message.topic):
            return False
        sink.batch.agent[row], sink.batch.kind[row] = 0, Kind.MESSAGE  # to something without an id
        return True

    def _take_pair(self, row: int, message: RawMessage, body: dict[str, Any], sink: Sink) -> bool:
        """Join a request and its response by their topics alone."""
        pair = pair_of(message.topic)
        if pair is None:
            return False
        key = (_WORD, *pair.key)
        if pair.asks:
            self._ask(row, message, body, "", pair.id, [key], sink, pair.levels, sure=pair.id != "")
            return True
        request = sink.exchange.waiting(key)
        if request is not None:
            self._answer(row, message, body, key, request, True, sink)
        return request is not None

    def _goes_on(self, row: int, message: RawMessage, id_: object, sink: Sink) -> bool:
        """Whether it is about a request by its id, which is no name that somebody keeps."""
        if not isinstance(id_, str) or len(id_) < _SURE_ID or sink.names.known_agent(id_):
            return False
        request = sink.exchange.waiting((_WORD, id_))
        if request is not None:
            _note(self._of_progress, message.topic)
            sink.exchange.hear((_WORD, id_), message.received_us)
        elif message.topic not in self._of_progress:
            return False
        sink.batch.agent[row] = request.receiver if request is not None else 0
        sink.batch.kind[row] = Kind.MESSAGE
        return True

    def _report(self, row: int, message: RawMessage, told: Told, levels: list[str], sink: Sink) -> None:
        beside = levels_beside(levels, told.report.task)
        worker = told.agent or _property(message, ("agent",))
        name = worker or (self._agent_at(beside, sink) if beside else "")
        if not names_agent(name) or (worker is None and (is_role(name) or announces(name))):
            raise Unread("nobody")
        agent = sink.agent(name)
        sink.batch.agent[row], sink.batch.kind[row] = agent, Kind.TASK
        sink.batch.tasks.append(told.report._replace(agent=agent))

    def _join(
        self,
        row: int,
        message: RawMessage,
        body: dict[str, Any],
        levels: list[str],
        state: TaskState | None,
        sink: Sink,
    ) -> bool:
        """`state`: of the task that the message told of; one that goes on already is not asked for."""
        rpc = "jsonrpc" in body
        key_told = "id" if rpc else next((key for key in _IDS if body.get(key)), "id")
        role = _role(levels, _SURE_REQUESTS if key_told == "id" else _REQUESTS)
        answers = ("result" in body or "error" in body) and (rpc or (role == "rpc" and "method" not in body))
        id_ = as_text(body.get(key_told)) or (self._id_among(levels, sink) if answers else None)
        if not id_:
            if rpc:  # a notification
                self._notice(row, body, levels, sink)
            return rpc
        if not rpc and not _AFTERWARDS.isdisjoint(
            one for one in (body.get("type"), body.get("t")) if isinstance(one, str)
        ):
            return True
        topic = "/".join(levels)
        keys: list[Hashable] = [(_WORD, "of", self._agent_at(levels, sink), id_)]
        if len(id_) >= _OWN_ID:
            keys.append((_WORD, id_))
        reply_to = next((body[key] for key in _REPLY_TO if isinstance(body.get(key), str)), "")
        asks = "method" in body and not answers if rpc else reply_to or (role in _REQUESTS and not answers)
        if asks and state in (None, TaskState.SUBMITTED):
            keys.append((_WORD, "to", reply_to or topic, id_))
            self._ask(row, message, body, reply_to, id_, keys, sink)
            return True
        if not (rpc or answers or role in _REPLIES):
            keys = []
        elif (told := agent_in(body, _RESPONDERS)[1]) is not None:
            keys.append((_WORD, "of", told, id_))
        for key in ((_WORD, "to", topic, id_), *keys):
            request = sink.exchange.waiting(key)
            if request is not None and state in (TaskState.SUBMITTED, TaskState.WORKING):
                sink.exchange.hear(key, message.received_us)
                return False
            if request is not None:
                self._answer(row, message, body, key, request, True, sink)
                return True
        return rpc

    @staticmethod
    def _id_among(levels: list[str], sink: Sink) -> str | None:
        """The id of an open request that stands in the topic of its answer."""
        return next((one for one in levels if len(one) >= _SURE_ID and sink.exchange.waiting((_WORD, one))), None)

    def _notice(self, row: int, body: dict[str, Any], levels: list[str], sink: Sink) -> None:
        """A notification: of whoever the topic is, where it says that notifications come from there."""
        sink.batch.kind[row] = Kind.MESSAGE
        if _TOLD_BY_OWNER.isdisjoint(level.casefold() for level in levels):
            return
        name = self._agent_at([level for level in levels if level != body.get("method")], sink)
        if names_agent(name) and not is_role(name) and not announces(name):
            sink.batch.agent[row] = sink.agent(name)

    def _ask(
        self,
        row: int,
        message: RawMessage,
        body: dict[str, Any],
        reply_to: str,
        id_: str,
        keys: list[Hashable],
        sink: Sink,
        levels: list[str] | None = None,
        *,
        sure: bool = True,
    ) -> None:
        """`levels`: those of the topic that may tell who is asked; None: all."""
        to, method = body.get("to"), body.get("method")
        levels = levels or levels_of(message.topic)
        if isinstance(method, str) and len(levels) > 2:  # the method's own level is no name
            levels = [level for level in levels if level != method.rpartition("/")[2]]
        asked = to if isinstance(to, str) and names_agent(to) else self._agent_at(levels, sink)
        told = _told(message, body, _SENDERS, _CALLERS)
        if told is None or told == asked:  # it may name whom it is for
            sender = sink.names.known_agent(self._agent_at(reply_to.split("/"), sink)) if reply_to else 0
        else:
            sender = sink.agent(told)
        kind = next((body[key] for key in _KINDS if isinstance(body.get(key), str)), "request")
        receiver = sink.names.known_agent(asked)
        request = Request(
            _sent(message, body), sender, receiver, kind, id_, tuple(keys), receiver_name=asked, sure=sure
        )
        sink.batch.agent[row], sink.batch.kind[row] = sender, Kind.MESSAGE
        if len(id_) >= _SURE_ID and sink.exchange.ask_again((_WORD, id_), request.keys, message.received_us):
            return  # sent again, as nobody answered so far
        sink.exchange.ask(request)

    @staticmethod
    def _answer(
        row: int, message: RawMessage, body: dict[str, Any], key: Hashable, request: Request, free: bool, sink: Sink
    ) -> None:
        responder = request.receiver
        if not responder:
            name = _told(message, body, AGENT_KEYS, ("agent", _SOURCE_ID)) or request.receiver_name
            responder = sink.agent(name) if names_agent(name) else 0
        done = sink.exchange.answer(key, row, _sent(message, body), _outcome(message, body), responder)
        if done is not None:
            sink.batch.interactions.append(done)
        if free:
            sink.batch.agent[row], sink.batch.kind[row] = responder, Kind.MESSAGE

    def _agent_at(self, levels: list[str], sink: Sink) -> str:
        """Whose a topic of requests or replies is; words of talk in it are no names."""
        depth = len(self._prefix)
        if levels[:depth] == self._prefix and len(levels) > depth and levels[depth]:
            return levels[depth]
        if levels[:3] == ["", "rpc", "v1"] and len(levels) > 5:  # Wiren Board's: driver, service, method, client
            return levels[3]
        kept = [
            one for one in levels if one and one.casefold() not in _REQUESTS | _REPLIES and not is_passing(one)
        ]  # fmt: skip
        name = place(kept or levels, False, sink.declarations.has).agent
        return "" if name == _WHOEVER else name


def _object(payload: bytes) -> dict[str, Any]:
    """Empty for what is none: other protocols talk, too, and that they do is what counts."""
    try:
        return read_object(payload)
    except Unread:
        return {}


def _sent(message: RawMessage, body: dict[str, Any]) -> Sent:
    return Sent(read_time(body.get("ts"), message.received_us), message.received_us, message.origin)


def _role(levels: list[str], requests: frozenset[str]) -> str:
    """The last word of a topic that says which way it goes, or ""."""
    return next((word for level in reversed(levels) if (word := level.casefold()) in requests | _REPLIES), "")


def _says_reply(topic: bytes) -> bool:
    return not _SURE_REPLIES.isdisjoint(level.casefold() for level in levels_of(topic))


def _note(topics: set[bytes], topic: bytes) -> None:
    """Bounded: when there are too many, all are found anew."""
    if len(topics) >= MOST_TOPICS:
        topics.clear()
    topics.add(topic)


def _told(message: RawMessage, body: dict[str, Any], keys: tuple[str, ...], properties: tuple[str, ...]) -> str | None:
    return _property(message, properties) or agent_in(body, keys)[1]


def _property(message: RawMessage, keys: tuple[str, ...]) -> str | None:
    """The first name of an agent that a user property says."""
    user = () if message.properties is None else message.properties.user
    return next((value for key, value in user if key in keys and names_agent(value)), None)


def _outcome(message: RawMessage, body: dict[str, Any]) -> Outcome:
    user = () if message.properties is None else message.properties.user
    refused = any(
        (key == "__stat" and not value.startswith("2"))
        or (key in _CODES and len(value) == 3 and value.isdecimal() and value[0] in "45")
        for key, value in user
    )
    return Outcome.ERROR if refused else outcome_of(body)
