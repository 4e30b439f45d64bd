"""Our own topics, second half: logs, tasks, connection attempts, messages between agents, followed files."""

from collections.abc import Hashable
from typing import Any

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.records import Attempt, Declaration, Interaction, LogRow, Outcome, TaskReport, TaskState
from models.domain.timestamps import read_time
from mqtt.reading.conventions.mosquitto_log import tell_clients, with_own_time
from mqtt.reading.decode import compact, read_object, read_text, strip
from mqtt.reading.exchange import Request, Sent, correlation_key
from mqtt.reading.generic_numbers import number_of
from mqtt.reading.generic_topics import agent_in
from mqtt.reading.log_lines import read_line
from mqtt.reading.log_shapes import LogRecord, read_log
from mqtt.reading.plan import Sink, Unread

SOURCE = "murmurscope"
NO_REPLY = frozenset(("event", "task", "cancel", "input", "inquiry"))
_STATES = {state.word: state for state in TaskState} | {
    "created": TaskState.SUBMITTED, "queued": TaskState.SUBMITTED, "pending": TaskState.SUBMITTED,
    "started": TaskState.WORKING, "running": TaskState.WORKING, "progress": TaskState.WORKING,
    "in-progress": TaskState.WORKING, "done": TaskState.COMPLETED, "success": TaskState.COMPLETED,
    "succeeded": TaskState.COMPLETED, "finished": TaskState.COMPLETED, "error": TaskState.FAILED,
    "cancelled": TaskState.CANCELED, "aborted": TaskState.CANCELED,
}  # fmt: skip
_OUTCOMES = {
    "ok": Outcome.OK, "success": Outcome.OK, "connected": Outcome.OK, "error": Outcome.ERROR,
    "failed": Outcome.ERROR, "failure": Outcome.ERROR, "timeout": Outcome.TIMEOUT, "refused": Outcome.REFUSED,
}  # fmt: skip


class _NumberedPlan:
    """A topic whose messages may carry boot and seq."""

    def __init__(self, topic: int, agent: int, sink: Sink) -> None:
        self.topic, self.agent = topic, agent
        self._sequence = sink.sequences.of(topic, agent)

    def _fresh(self, row: int, body: dict[str, Any], message: RawMessage, sink: Sink) -> bool:
        if self._sequence.repeated(body.get("boot"), body.get("seq"), message.received_us):
            sink.batch.duplicate[row] = True
            return False
        return True


class LogPlan(_NumberedPlan):
    """`agents/<id>/log`: a record as JSON, or a line of text. Only a record nested in another may be somebody else's."""

    kind = Kind.LOG

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        if strip(message.payload)[:1] != b"{":
            text = read_text(message.payload)
            if not text:
                raise Unread("empty")
            put_log(sink, row, self.agent, message, read_line(text, message.received_us, certain=True), said=text)
            return
        body = read_object(message.payload)
        record = read_log(body, message.received_us, needs_level=False)
        if record is None:
            raise Unread("shape")
        if self._fresh(row, body, message, sink):
            sink.batch.agent[row] = agent = sink.agent(record.agent) if record.agent else self.agent
            put_log(sink, row, agent, message, record, said=body)


class TailPlan:
    """`agents/<id>/tail/<file>`: a line as it stands in the file; the agent that the line names, else `<id>`."""

    kind = Kind.LOG

    def __init__(self, topic: int, agent: int, file: str) -> None:
        self.topic, self.agent = topic, agent
        self._file = file
        self._of_broker = "mosquitto" in file.casefold()

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        said: dict[str, Any] | str
        record, name, said = self._read_object(message) if strip(message.payload)[:1] == b"{" else (None, None, "")
        own_time = record is not None and record.time_us is not None
        if record is None:
            said = text = read_text(message.payload)
            if not text:
                raise Unread("empty")
            record = read_line(text, message.received_us, certain=True)
            if self._of_broker and record is not None:
                tell_clients(row, text, message.received_us, sink)
                record = with_own_time(record, text, message.received_us)
        sink.batch.agent[row] = agent = sink.agent(name) if name else self.agent
        if own_time and sink.copies.repeated(self.agent, self.topic, message.payload):
            sink.batch.duplicate[row] = True
            return
        put_log(sink, row, agent, message, record, self._file, said)

    def _read_object(self, message: RawMessage) -> tuple[LogRecord | None, str | None, dict[str, Any] | str]:
        """The record, the agent that it names, and the object."""
        try:
            body = read_object(message.payload)
            record = read_log(body, message.received_us, needs_level=False)
        except Unread:
            return None, None, ""  # half a line is a line of text
        return record, (record.agent if record else None) or agent_in(body)[1], body


class TaskPlan(_NumberedPlan):
    """`agents/<id>/task`: reports on tasks."""

    kind = Kind.TASK

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        body = read_object(message.payload)
        task = as_text(body.get("task"))
        if not task:
            raise Unread("shape")
        if not self._fresh(row, body, message, sink):
            return
        attempt = body.get("attempt")
        sink.batch.tasks.append(
            TaskReport(
                row, own_time(body, message), self.agent, task, as_text(body.get("type")), task_state(body.get("state")),
                as_text(body.get("parent")), as_text(body.get("requester")),
                attempt if type(attempt) is int and 0 <= attempt < 1 << 31 else None,
                number_of(body.get("progress")), as_text(body.get("result")), as_text(body.get("error")),
            )
        )  # fmt: skip


class AttemptPlan(_NumberedPlan):
    """`agents/<id>/connection`: one attempt to connect to something."""

    kind = Kind.CONNECTION

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        body = read_object(message.payload)
        error, told, duration = as_text(body.get("error")), body.get("outcome"), number_of(body.get("duration_s"))
        if told is None and error is None:
            raise Unread("shape")
        outcome = _OUTCOMES.get(told.casefold()) if isinstance(told, str) else Outcome.ERROR if error else None
        if outcome is None:
            raise Unread("shape")
        if self._fresh(row, body, message, sink):
            duration_us = None if duration is None or not 0 <= duration < 1e9 else round(duration * 1_000_000)
            target = as_text(body.get("target"))
            sink.batch.attempts.append(
                Attempt(row, own_time(body, message), self.agent, outcome, error, duration_us, target)
            )


class InboxPlan(_NumberedPlan):
    """`agents/<to>/inbox/<from>`: what one agent tells another. The message is the sender's."""

    kind = Kind.MESSAGE

    def __init__(self, topic: int, sender: int, receiver: int, sink: Sink) -> None:
        super().__init__(topic, sender, sink)
        self._receiver = receiver
        self._called = ""

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        try:
            body = read_object(message.payload)
        except Unread:
            if message.properties is None or message.properties.correlation is None:
                raise
            return  # a mere value: what it answers is found by its correlation
        if not self._fresh(row, body, message, sink):
            return
        sent = Sent(read_time(body.get("ts"), message.received_us), message.received_us, message.origin)
        kind, id_, reply_to = as_text(body.get("type")), as_text(body.get("id")), as_text(body.get("reply_to"))
        if kind == "task":
            self._delegate(row, body, message, sink)
        called = as_text(body.get("from_name"))
        if called and called != self._called:
            self._declare(row, called, sink)
        if reply_to:
            self._reply(row, (self._receiver, self.agent, reply_to), sent, outcome_of(body), sink)
            return
        keys = self._keys(id_, message)
        if keys and kind not in NO_REPLY:
            sink.exchange.ask(Request(sent, self.agent, self._receiver, kind or "message", id_ or "", keys))
        elif message.properties is None or message.properties.correlation is None or message.properties.response_topic:
            time_us = own_time(body, message)
            sink.batch.interactions.append(
                Interaction(row, time_us, self.agent, self._receiver, kind or "message", id_ or "", None, Outcome.OK)
            )

    def _declare(self, row: int, called: str, sink: Sink) -> None:
        """How the sender is called, where it has no status to say so."""
        self._called = called
        declaration = Declaration(row, self.agent, SOURCE, called, irregular=True)
        if sink.declarations.is_news(declaration, sink.names.agents[self.agent]):
            sink.batch.declarations.append(declaration)

    def _keys(self, id_: str | None, message: RawMessage) -> tuple[Hashable, ...]:
        """What a reply to this message would be found by."""
        keys: list[Hashable] = [(self.agent, self._receiver, id_)] if id_ else []
        properties = message.properties
        if properties is not None and properties.response_topic and properties.correlation:
            keys.append(correlation_key(properties.response_topic.encode(), properties.correlation))
        return tuple(keys)

    @staticmethod
    def _reply(row: int, key: Hashable, sent: Sent, outcome: Outcome, sink: Sink) -> None:
        done = sink.exchange.answer(key, row, sent, outcome)
        if done is not None:
            sink.batch.interactions.append(done)

    def _delegate(self, row: int, body: dict[str, Any], message: RawMessage, sink: Sink) -> None:
        told = body.get("body")
        task: dict[str, Any] = told if isinstance(told, dict) else {}
        id_ = as_text(task.get("task"))
        if not id_:
            sink.unread(row, "shape")
            return
        requester, attempt = sink.names.agents[self.agent], task.get("attempt")
        sink.batch.tasks.append(
            TaskReport(
                row, own_time(body, message), self._receiver, id_, as_text(task.get("type")), TaskState.SUBMITTED,
                parent=as_text(task.get("parent")), requester=requester,
                attempt=attempt if type(attempt) is int and 0 <= attempt < 1 << 31 else None,
            )
        )  # fmt: skip


def put_log(
    sink: Sink, row: int, agent: int, message: RawMessage, record: LogRecord | None, file: str | None = None,
    said: dict[str, Any] | str = "",
) -> None:  # fmt: skip
    """Add a log record to the batch; `file` stands in for a missing logger, `said` is what may tell who wrote it."""
    if record is not None:
        if said:
            sink.log_speakers.hear(row, agent, said)
        time_us = message.received_us if record.time_us is None else record.time_us
        sink.batch.logs.append(
            LogRow(
                row, time_us, agent, record.level, record.logger or file, record.text,
                record.error, record.stack, record.attributes,
            )
        )  # fmt: skip


def outcome_of(body: dict[str, Any]) -> Outcome:
    """Whether a reply tells of a failure: `type` or `status` error or failed, no `success`, or an `error` in it, in its body or
    its result."""
    inner, result = body.get("body"), body.get("result")
    if isinstance(result, dict) and isinstance(result.get("error"), str | dict) and result["error"]:
        return Outcome.ERROR
    no = body.get("success") is False or body.get("ok") is False or body.get("status") in ("error", "failed")
    failed = no or body.get("type") == "error" or body.get("error") or (isinstance(inner, dict) and inner.get("error"))
    return Outcome.ERROR if failed else Outcome.OK


def task_state(word: object) -> TaskState:
    """State that a word of any task protocol means."""
    if not isinstance(word, str):
        return TaskState.UNKNOWN
    return _STATES.get(word.strip().lower().removeprefix("task_state_").replace("_", "-"), TaskState.UNKNOWN)


def own_time(body: dict[str, Any], message: RawMessage) -> int:
    """The agent's own time where plausible, else arrival."""
    found = read_time(body.get("ts"), message.received_us)
    return message.received_us if found is None else found


def as_text(value: object) -> str | None:
    """Text as it is, None as None, anything else as compact JSON."""
    if value is None or isinstance(value, str):
        return value
    return compact(value)
