"""Mosquitto's log, as lines of a followed file or on `$SYS/broker/log/<level>`: who connected, who was refused, who went."""

import re
from typing import NamedTuple

from models.domain.presence_words import Presence
from models.domain.records import Level, Outcome
from models.domain.timestamps import read_time
from mqtt.reading.log_shapes import LogRecord
from mqtt.reading.plan import Sink

LONGEST_LINE = 600
_STAMP = re.compile(r"(\d{9,11}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[+-]\d\d:?\d\d|Z)?): ")
_LEVELS = {"D": Level.DEBUG, "I": Level.INFO, "N": Level.INFO, "W": Level.WARN, "E": Level.ERROR, "M": Level.DEBUG}
_CONNECTED = re.compile(r"New (?:client|bridge) connected from \S+ as (?P<client>.+) \([^()]*\)\.?")
_UNKNOWN = "<unknown>"


class _End(NamedTuple):
    """A line on the end of a connection. `refused`: it never began, whoever it was."""

    line: re.Pattern[str]
    presence: Presence
    outcome: Outcome
    error: str  # "": as the line has it
    refused: bool = False


def _end(line: str, presence: Presence, outcome: Outcome, error: str = "", refused: bool = False) -> _End:
    client = r"(?P<client>.+?)(?: \[\S+\])?"  # later versions tell the address as well
    return _End(re.compile(line.replace("CLIENT", client) + r"\.?"), presence, outcome, error, refused)


_ENDS = (
    _end("Client CLIENT disconnected[,:] not authori[sz]ed", Presence.OFFLINE, Outcome.REFUSED, "not authorised", True),
    _end("Client CLIENT disconnected", Presence.STOPPED, Outcome.ERROR, "disconnected"),
    _end("Client CLIENT closed its connection", Presence.OFFLINE, Outcome.ERROR, "closed its connection"),
    _end("Client CLIENT has exceeded timeout, disconnecting", Presence.OFFLINE, Outcome.TIMEOUT, "timeout"),
    _end("Client CLIENT disconnected[,:] exceeded timeout", Presence.OFFLINE, Outcome.TIMEOUT, "timeout"),
    _end("Client CLIENT disconnected(?: due to|[,:]) (?P<why>.+?)", Presence.OFFLINE, Outcome.ERROR),
    _end("Client CLIENT been disconnected by administrative action", Presence.OFFLINE, Outcome.ERROR, "ended by an administrator"),
    _end("Socket error on client CLIENT, disconnecting", Presence.OFFLINE, Outcome.ERROR, "socket error"),
    _end("Client connection from (?P<address>\\S+) failed: (?P<why>.+?)", Presence.OFFLINE, Outcome.ERROR, refused=True),
    _end("Client connection from (?P<address>\\S+) denied access by \\S+", Presence.OFFLINE, Outcome.REFUSED, "denied", True),
)  # fmt: skip


def read_broker_line(text: str, level: str, arrival_us: int) -> LogRecord:
    """A line that came with the letter of its level."""
    record = LogRecord(_LEVELS.get(level, Level.INFO), None, "mosquitto", text, None, None, None)
    return with_own_time(record, text, arrival_us)


def with_own_time(record: LogRecord, text: str, arrival_us: int) -> LogRecord:
    """The record with the time that its line begins with."""
    time_us, said = _parted(text, arrival_us)
    return record if time_us is None else record._replace(time_us=time_us, text=said)


def _parted(text: str, arrival_us: int) -> tuple[int | None, str]:
    stamp = _STAMP.match(text)
    time_us = read_time(stamp[1], arrival_us) if stamp else None
    return (time_us, text[stamp.end() :]) if stamp and time_us is not None else (None, text)


def tell_clients(row: int, text: str, arrival_us: int, sink: Sink) -> None:
    """What a line says of a client, if anything. One that came both ways, followed and by topic, counts once."""
    if len(text) > LONGEST_LINE or ("lient " not in text and "bridge " not in text):
        return
    own_us, said = _parted(text, arrival_us)
    if own_us is not None and sink.copies.repeated(0, sink.batch.topic[row], text.encode()):
        return
    time_us = arrival_us if own_us is None else own_us
    connected = _CONNECTED.fullmatch(said)
    if connected is not None:
        sink.clients.connected(row, connected["client"], time_us, sink)
        return
    for end in _ENDS:
        found = end.line.fullmatch(said)
        if found is None:
            continue
        told = found.groupdict()
        client = told.get("client")
        named = client if client != _UNKNOWN else None
        if end.refused or named is None:
            sink.clients.failed(row, named, time_us, end.outcome, end.error or told["why"], sink)
        else:
            sink.clients.left(row, named, end.presence, sink)
        return
