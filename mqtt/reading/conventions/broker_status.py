"""What brokers tell of themselves and of their clients: `$SYS` of Mosquitto, EMQX and Aedes, presence events of EMQX and AWS.

The figures are nobody's: a broker is no agent of the fleet it serves. Its clients are told of where they are agents
(`reading.clients`).
"""

from functools import lru_cache
from typing import Any, NamedTuple

from models.domain.messages import Kind, Origin, RawMessage
from models.domain.names import SeriesKind
from models.domain.presence_words import Presence
from models.domain.records import Outcome
from models.domain.timestamps import read_time
from mqtt.reading.contract_work import put_log
from mqtt.reading.conventions.mosquitto_log import read_broker_line, tell_clients
from mqtt.reading.decode import compact, read_object, read_text
from mqtt.reading.generic_numbers import read_number
from mqtt.reading.other_topics import OtherPlan
from mqtt.reading.plan import Figure, Plan, Sink, Unread

MOSQUITTO, EMQX = "mosquitto", "emqx"
MOST_VERSIONS = 100_000
BEGINS_AGAIN_US = 30 * 60 * 1_000_000
"""Half of the hour, as the times told are off by minutes."""
_COUNTED = frozenset(("received", "sent", "dropped"))
_NOUNS = {
    "clients": "{client}", "connections": "{connection}", "sessions": "{session}", "topics": "{topic}",
    "subscriptions": "{subscription}", "shared_subscriptions": "{subscription}", "messages": "{message}",
    "retained_messages": "{message}", "retained": "{message}", "packets": "{packet}",
}  # fmt: skip
_TAKEN_OVER = frozenset(("takenover", "takeovered", "discarded", "DUPLICATE_CLIENTID"))
"""Why a connection ends that another of the same client replaces."""
_GOODBYES = frozenset(("normal", "CLIENT_INITIATED_DISCONNECT"))
_WHY = ("connectFailureReason", "failureReason", "disconnectReason", "reason")
_EVENTS = {
    "client_connected": "connected", "client_connect": "connected", "client_disconnected": "disconnected",
    "client_disconnect": "disconnected",
}  # fmt: skip
_REFUSALS = frozenset(("AUTH_ERROR", "FORBIDDEN_ACCESS", "not_authorized", "bad_username_or_password", "banned"))


class BrokerStatusRecogniser:
    """`$SYS/broker/…`, `$SYS/brokers/<node>/…`, `$SYS/<broker>/…/clients`, `$events/client_…`, `$aws/events/presence/…`."""

    uses_declarations = False

    def __init__(self) -> None:
        self._newest: dict[str, _Newest] = {}

    def claim(self, topic: int, levels: list[str], message: RawMessage, sink: Sink) -> Plan | None:  # noqa: ARG002
        root, below = levels[:2], levels[2:]
        if root == ["$SYS", "broker"] and len(below) > 1 and below[0] == "log":
            return LogPlan(topic, below[1])
        if root == ["$SYS", "broker"] and below:
            return FigurePlan(topic, below, "", MOSQUITTO)
        if root == ["$SYS", "brokers"] and len(below) > 1 and all(below):
            node, role = below[0], below[1:]
            if role[0] == "clients":
                return EmqxClientPlan(topic, "/".join(role[1:-1]), role[-1]) if len(role) > 2 else OtherPlan(topic)
            return FigurePlan(topic, role, compact({"node": node}), EMQX)
        if levels[0] == "$SYS" and len(levels) == 4 and levels[2:] in (["new", "clients"], ["disconnect", "clients"]):
            return AedesClientPlan(topic, levels[2] == "new")
        if levels[0] in ("$events", "$event") and len(levels) == 2:
            return EmqxClientPlan(topic, "", _EVENTS.get(levels[1], ""))
        if root == ["$aws", "events"] and len(below) > 2 and below[0] == "presence":
            return AwsClientPlan(topic, "/".join(below[2:]), below[1], self._newest)
        return None


@lru_cache(1_024)
def unit_of_broker(path: tuple[str, ...]) -> tuple[str, SeriesKind]:
    """Unit and kind of a figure; loads are means per minute."""
    if path[0] == "load":
        return ("By/min" if "bytes" in path else "/min"), SeriesKind.GAUGE
    kind = SeriesKind.COUNTER if path[0] == "metrics" or path[-1] in _COUNTED else SeriesKind.GAUGE
    if "bytes" in path or path[0] == "heap":
        return "By", kind
    return next((_NOUNS[level] for level in path if level in _NOUNS), ""), kind


class FigurePlan:
    """One figure of a broker. Its version and other texts are none."""

    kind = Kind.OTHER
    agent = 0

    def __init__(self, topic: int, path: list[str], labels: str, source: str) -> None:
        self.topic = topic
        self._path, self._labels, self._source = tuple(level.replace(" ", "_") for level in path), labels, source
        self._figure: Figure | None = None

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        number = read_number(read_text(message.payload))
        if number is None:
            return
        if self._figure is None:
            unit, kind = unit_of_broker(self._path)
            name = f"broker.{'.'.join(self._path)}"
            self._figure = sink.figure(0, name, number[1] or unit, kind, self._source, self._labels)
        sink.put_one(row, message.received_us, self._figure, number[0])


class LogPlan:
    """A line of Mosquitto's log."""

    kind = Kind.LOG
    agent = 0

    def __init__(self, topic: int, level: str) -> None:
        self.topic, self._level = topic, level

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        text = read_text(message.payload)
        if not text:
            raise Unread("empty")
        put_log(sink, row, 0, message, read_broker_line(text, self._level, message.received_us))
        tell_clients(row, text, message.received_us, sink)


class EmqxClientPlan:
    """`…/clients/<id>/connected` and `…/disconnected`; `client` "": only the payload says whose."""

    kind = Kind.CONNECTION
    agent = 0

    def __init__(self, topic: int, client: str, event: str) -> None:
        self.topic = topic
        self._client, self._event = client, event

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY or self._event not in ("connected", "disconnected"):
            return
        body = read_object(message.payload)
        client = _text(body, "clientid") or self._client
        if not client:
            raise Unread("shape")
        time_us = _time(body, message, "connected_at" if self._event == "connected" else "disconnected_at", "ts")
        if self._event == "connected":
            refusal = body.get("connack")  # 0 or absent: it was let in
            if type(refusal) is int and refusal:
                sink.clients.failed(row, client, time_us, Outcome.REFUSED, f"CONNACK {refusal}", sink)
            else:
                sink.clients.connected(row, client, time_us, sink)
            return
        _ended(row, client, _text(body, "reason") or "", time_us, sink)


class AedesClientPlan:
    """`$SYS/<broker>/new/clients` and `…/disconnect/clients` of Aedes and Mosca: a client's id. Why it went is not told."""

    kind = Kind.CONNECTION
    agent = 0

    def __init__(self, topic: int, came: bool) -> None:
        self.topic, self._came = topic, came

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY:
            return
        client = read_text(message.payload)
        if not client:
            raise Unread("empty")
        if self._came:
            sink.clients.connected(row, client, message.received_us, sink)
        else:
            sink.clients.left(row, client, Presence.OFFLINE, sink)


class _Newest(NamedTuple):
    """What was told of a client last: the number of its connection, whether that ended, and when."""

    version: int
    ended: bool
    time_us: int


class AwsClientPlan:
    """`$aws/events/presence/connected|disconnected|connect_failed/<id>`. Events may overtake each other, or come twice: both ends of a connection
    have its number, and the higher number is newer. It begins again at 0 once a client was away for an hour."""

    kind = Kind.CONNECTION
    agent = 0

    def __init__(self, topic: int, client: str, event: str, newest: dict[str, _Newest]) -> None:
        self.topic = topic
        self._client, self._event, self._newest = client, event, newest
        self._last: _Newest | None = None  # on this topic

    def read(self, row: int, message: RawMessage, sink: Sink) -> None:
        if message.origin is Origin.REPLAY or self._event not in ("connected", "disconnected", "connect_failed"):
            return
        body = read_object(message.payload)
        client, time_us = _text(body, "clientId") or self._client, _time(body, message, "timestamp")
        if self._event == "connect_failed":
            why = next((told for key in _WHY if (told := _text(body, key))), "")
            sink.clients.failed(row, client, time_us, Outcome.REFUSED, why, sink)
            return
        version, ended = body.get("versionNumber"), self._event == "disconnected"
        newest = True
        if type(version) is int:
            state = _Newest(version, ended, time_us)
            if state == self._last:
                sink.batch.duplicate[row] = True
                return
            self._last = state
            newest = self._is_newest(client, state)
        if not ended:
            sink.clients.connected(row, client, time_us, sink, still=newest)
        elif newest:
            reason = _text(body, "disconnectReason") or ""
            goodbye = body.get("clientInitiatedDisconnect") is True and not reason
            _ended(row, client, "normal" if goodbye else reason, time_us, sink)

    def _is_newest(self, client: str, told: _Newest) -> bool:
        known = self._newest.get(client)
        if known is not None and told[:2] < known[:2] and told.time_us - known.time_us < BEGINS_AGAIN_US:
            return False
        if len(self._newest) >= MOST_VERSIONS:
            self._newest.clear()
        self._newest[client] = told
        return True


def _ended(row: int, client: str, reason: str, time_us: int, sink: Sink) -> None:
    if reason in _TAKEN_OVER:
        return
    if reason in _REFUSALS:
        sink.clients.failed(row, client, time_us, Outcome.REFUSED, reason, sink)
    sink.clients.left(row, client, Presence.STOPPED if reason in _GOODBYES else Presence.OFFLINE, sink)


def _text(body: dict[str, Any], key: str) -> str | None:
    value = body.get(key)
    return value if isinstance(value, str) and value else None


def _time(body: dict[str, Any], message: RawMessage, *keys: str) -> int:
    found = (read_time(body.get(key), message.received_us) for key in keys)
    return next((one for one in found if one is not None), message.received_us)
