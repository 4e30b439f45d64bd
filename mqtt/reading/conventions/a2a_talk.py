"""Requests and replies as A2A has them, for all that carry it over MQTT: who asks whom, for which task, and when it is answered."""

from collections.abc import Hashable
from typing import NamedTuple

from models.domain.crowd import MOST_AGENTS
from models.domain.messages import Kind, Origin, Properties, RawMessage
from models.domain.records import Declaration, Interaction, Outcome, TaskState
from mqtt.reading.contract_work import as_text
from mqtt.reading.conventions.a2a_tasks import News, Tasks, news_of
from mqtt.reading.exchange import Request, Sent, correlation_key
from mqtt.reading.json_rpc import Call, read_calls
from mqtt.reading.plan import Sink, Unread

_NOTHING = Properties()
_SEALED = Call("", "encrypted", {}, None, None)
_SEALED_REPLY = Call("", "", {}, {}, None)
_INTERNAL_ERROR = -32_603  # of JSON-RPC: it tried
_OUTCOMES = {TaskState.FAILED: Outcome.ERROR, TaskState.REJECTED: Outcome.REFUSED}


class Address(NamedTuple):
    """Of an agent. `group`: organisation and unit, or ""."""

    group: str
    name: str


class Talk:
    """What the plans of one recogniser share. Each carrier has its own way to say who somebody is."""

    word = ""
    one_way: frozenset[str] = frozenset()
    """Methods that ask for no reply of their own."""

    def __init__(self) -> None:
        self.tasks = Tasks()
        self._homes: dict[str, str] = {}  # agent's name -> the group in which it has that name to itself
        self._met: set[int] = set()

    def agent(self, row: int, address: Address, sink: Sink) -> int:
        """Id of the agent there, who is said to be of this convention when first met."""
        agent = self._named(address, sink)
        if agent not in self._met:
            self._met.add(agent)
            declaration = Declaration(row, agent, self.word, group=address.group or None)
            if sink.declarations.is_news(declaration, sink.names.agents[agent]):
                sink.batch.declarations.append(declaration)
        return agent

    def declared(self, address: Address, sink: Sink) -> int:
        """Id of an agent that says itself what it is."""
        agent = self._named(address, sink)
        self._met.add(agent)
        return agent

    def _named(self, address: Address, sink: Sink) -> int:
        """Where two groups have an agent of the same name, the second is named in full. So it is after a start, too, whichever
        comes first then."""
        group, name = address
        full = f"{group}/{name}" if group else name
        if group and sink.names.known_agent(full):
            return sink.agent(full)
        home = self._homes.get(name)
        if not home and len(self._homes) < MOST_AGENTS:
            home = self._homes[name] = group
        return sink.agent(name if not group or home == group else full)

    def sender(self, properties: Properties, call: Call, receiver: Address) -> Address | None:
        """Whose request to `receiver` it is, where it says so."""
        raise NotImplementedError

    def responder(self, properties: Properties, call: Call, requester: Address) -> Address | None:
        """Whose reply to `requester` it is, where it says so."""
        raise NotImplementedError

    def task(self, call: Call) -> str:
        """The task that a request is for, or ""."""
        raise NotImplementedError

    def keys(self, reply_topic: bytes, correlation: bytes | None, requester: int, id_: str) -> list[Hashable]:
        """What a request is found by, the surest first."""
        keys: list[Hashable] = []
        if reply_topic and correlation:
            keys.append((self.word, correlation_key(reply_topic, correlation)))
        if id_:
            keys.append((self.word, requester, id_))
        return keys


class RequestPlan:
    """A topic of requests for `receiver`; one without a name: whoever of a pool takes it."""

    kind = Kind.MESSAGE
    agent = 0

    def __init__(self, topic: int, receiver: Address, talk: Talk) -> None:
        self.topic, self._receiver, self._talk = topic, receiver, talk

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        properties = message.properties or _NOTHING
        calls = [_SEALED] if is_sealed(properties) else read_calls(message.payload)
        if not all(call.method for call in calls):
            raise Unread("shape")
        told = self._talk.sender(properties, calls[0], self._receiver)
        sender = self._talk.agent(row, told, sink) if told is not None else 0
        receiver = self._talk.agent(row, self._receiver, sink) if self._receiver.name else 0
        sink.batch.agent[row] = sender
        for call in calls:
            self._ask(row, message, call, properties, (sender, receiver), sink)

    def _ask(
        self, row: int, message: RawMessage, call: Call, properties: Properties, ends: tuple[int, int], sink: Sink
    ) -> None:
        talk, (sender, receiver) = self._talk, ends
        reply_topic = (properties.response_topic or "").encode("utf-8", "replace")
        keys = talk.keys(reply_topic, properties.correlation, sender, call.id)
        if call.method in talk.one_way:
            keys = []
        task = talk.task(call) if _begins(call.method) else ""
        if task:
            talk.tasks.submit(row, message, task, receiver, sink.names.agents[sender], _parent(call), sink)
            of_task = (talk.word, "task", receiver, task)
            if sink.exchange.ask_again(of_task, tuple(keys), message.received_us):
                return
            keys.append(of_task)
        if keys:
            sent = Sent(None, message.received_us, message.origin)
            sink.exchange.ask(Request(sent, sender, receiver, call.method, call.id, tuple(keys)))
        else:
            sink.batch.interactions.append(
                Interaction(row, message.received_us, sender, receiver, call.method, "", None, Outcome.OK)
            )


class ReplyPlan:
    """A topic of replies to `requester`. `last`: with each of them nothing more is to come."""

    kind = Kind.MESSAGE
    agent = 0

    def __init__(self, topic: int, requester: Address, talk: Talk, last: bool = False) -> None:
        self.topic, self._requester, self._talk, self._last = topic, requester, talk, last

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        properties = message.properties or _NOTHING
        if is_sealed(properties):
            calls = [_SEALED_REPLY]
        elif user_property(properties, "a2a-event-type"):  # the bytes of an artifact
            calls = []
        else:
            calls = [call for call in read_calls(message.payload) if not call.method]
        requester = self._talk.agent(row, self._requester, sink)
        for call in calls:
            self._take(row, message, call, properties, requester, sink)
        if not calls:
            key, request = self._open(message, properties, requester, "", sink)
            if request is not None:
                sink.batch.agent[row] = request.receiver
                sink.exchange.hear(key, message.received_us)

    def _take(
        self, row: int, message: RawMessage, call: Call, properties: Properties, requester: int, sink: Sink
    ) -> None:
        tasks, news = self._talk.tasks, news_of(call.result)
        key, request = self._open(message, properties, requester, call.id, sink)
        asked = 0 if request is None else request.receiver
        told = self._talk.responder(properties, call, self._requester)
        responder = (
            self._talk.agent(row, told, sink)
            if told is not None
            else asked or tasks.agent_of(news.task if news else "")
        )
        sink.batch.agent[row] = responder
        if news is not None:
            tasks.tell(row, message, news, asked or responder, sink.names.agents[requester], sink)
        if request is None:
            return
        if call.error_text is not None:
            broke = call.error is not None and call.error.get("code") == _INTERNAL_ERROR
            state = TaskState.FAILED if broke else TaskState.REJECTED
            tasks.refuse(row, message, _task_of(request), call.error_text, state, sink)
        if not self._last and not _answers(request.kind, call, news):
            sink.exchange.hear(key, message.received_us)
            return
        sent = Sent(None, message.received_us, message.origin)
        done = sink.exchange.answer(key, row, sent, _outcome(request.kind, call, news), responder)
        if done is not None:
            sink.batch.interactions.append(done)

    def _open(
        self, message: RawMessage, properties: Properties, requester: int, id_: str, sink: Sink
    ) -> tuple[Hashable, Request | None]:
        """The request that a reply is for, and a key of it."""
        for asker in (requester, 0):  # 0: it did not say who it was
            for key in self._talk.keys(message.topic, properties.correlation, asker, id_):
                request = sink.exchange.waiting(key)
                if request is not None:
                    return key, request
        return None, None


def user_property(properties: Properties, name: str) -> str:
    """Value of an MQTT 5 user property; the last one, as the most recent holds; "" where there is none."""
    return next((value for key, value in reversed(properties.user) if key == name), "")


def is_sealed(properties: Properties) -> bool:
    """Whether the payload is for the one asked alone: encrypted, and no failure of ours."""
    return (properties.content_type or "").startswith("application/jose")


def _begins(method: str) -> bool:
    return method.casefold().startswith(("send", "message/", "tasks/send"))


def _goes_on(method: str) -> bool:
    """Whether a reply with the task as it is may be followed by others."""
    folded = method.casefold()
    return "stream" in folded or "subscribe" in folded


def _answers(method: str, call: Call, news: News | None) -> bool:
    if news is None or call.error is not None or news.answers:
        return True
    return not _goes_on(method) and (news.snapshot or not _begins(method))


def _outcome(method: str, call: Call, news: News | None) -> Outcome:
    if call.error is not None:
        return Outcome.ERROR
    return _OUTCOMES.get(news.state, Outcome.OK) if news is not None and _begins(method) else Outcome.OK


def _task_of(request: Request) -> str:
    return next((key[3] for key in request.keys if isinstance(key, tuple) and key[1] == "task"), "")


def _parent(call: Call) -> str | None:
    """The task that this one is a part of."""
    message = call.params.get("message")
    for place in (message if isinstance(message, dict) else {}, call.params):
        metadata = place.get("metadata")
        if isinstance(metadata, dict) and metadata.get("parentTaskId") is not None:
            return as_text(metadata["parentTaskId"])
    return None
