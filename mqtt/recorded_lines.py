"""One line of recorded traffic to a message: our own JSON lines, and what `mosquitto_sub -F %j` (or %J) prints.

A line tells when the message arrived, and whether the broker only repeated it (a retained replay). Nothing of it is live.
"""

import json
import math
import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

import msgspec

from models.domain.messages import Origin, Properties, RawMessage

LONGEST_TOPIC = 65_535
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z: later ones have no date
_FORBIDDEN = re.compile(rb"[+#\0]")
_MOSQUITTO_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z?([+-]\d\d:?\d\d)?")

_QoS = Annotated[int, msgspec.Meta(ge=0, le=2)]
_Expiry = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]


class NoRecordError(Exception):
    """The line is no record; says why, for whoever mends the file."""


class _OurProperties(msgspec.Struct, rename="pascal"):
    content_type: str | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    message_expiry_interval: _Expiry | None = None
    user_property: list[tuple[str, str]] | None = None


class _OurLine(msgspec.Struct):
    ts: float
    topic: str
    payload_b64: bytes
    qos: _QoS = 0
    retain: bool | int = False
    props: _OurProperties | None = None
    origin: str = "live"


class _MosquittoProperties(msgspec.Struct, rename="kebab"):
    content_type: str | None = None
    response_topic: str | None = None
    correlation_data: str | None = None
    message_expiry_interval: _Expiry | None = None
    user_properties: msgspec.Raw = msgspec.Raw(b"{}")  # an object in which keys may come twice


class _MosquittoLine(msgspec.Struct):
    tst: str | float
    topic: str
    payload: msgspec.Raw = msgspec.Raw(b"null")
    payloadlen: int | None = None
    qos: _QoS = 0
    retain: bool | int = False
    properties: _MosquittoProperties | None = None


class _Topic(msgspec.Struct):
    topic: str


_decode_topic = msgspec.json.Decoder(_Topic).decode
_decode_ours = msgspec.json.Decoder(_OurLine).decode
_decode_mosquittos = msgspec.json.Decoder(_MosquittoLine).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_keys = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_ASIDE = {0xDC00 + byte: chr(0x10_FF00 + byte) for byte in range(0x80, 0x100)}
"""Bytes that are no UTF-8, as characters that JSON can hold and nobody uses."""
_BACK = {ord(char): chr(escape) for escape, char in _ASIDE.items()}
_FAILURES = (msgspec.MsgspecError, ValueError, RecursionError)


class OurLines:
    """`ts`, `topic`, `qos`, `retain`, `payload_b64`, optional `props` and `origin`. `retain` is the publisher's flag."""

    def read(self, line: bytes) -> RawMessage:
        """Raises `NoRecordError`."""
        try:
            found = _decode_ours(line)
        except _FAILURES as error:
            raise NoRecordError(_reason(error)) from None
        told = found.props
        properties = None if told is None else Properties(
            told.content_type, told.response_topic, told.correlation_data, told.message_expiry_interval,
            tuple(told.user_property or ()),
        )  # fmt: skip
        if found.origin not in ("live", "replay"):
            raise NoRecordError("origin is neither live nor replay")
        origin = Origin.REPLAY if found.origin == "replay" else Origin.IMPORTED
        return _message(
            found.topic, found.payload_b64, found.qos, found.retain, properties, _from_unix(found.ts), origin
        )


class MosquittoLines:
    """`tst`, `topic`, `qos`, `retain`, `payloadlen`, `payload`, optional `properties`. `retain` 1 means replay, as
    mosquitto_sub subscribes without Retain As Published.

    mosquitto_sub ends a payload at its first NUL byte: one at the very end is put back, of others the rest is lost.
    """

    def read(self, line: bytes) -> RawMessage:
        """Raises `NoRecordError`."""
        raw: Callable[[str], bytes] = str.encode
        try:
            line.decode()
        except UnicodeDecodeError:  # a binary payload is printed as it is: take its bytes for what they are
            line = line.decode("utf-8", "surrogateescape").translate(_ASIDE).encode()
            raw = _raw_aside
        try:
            found = _decode_mosquittos(line)
            told = found.properties
            properties = None if told is None else Properties(
                told.content_type, told.response_topic,
                None if told.correlation_data is None else raw(told.correlation_data),
                told.message_expiry_interval, _pairs(told.user_properties),
            )  # fmt: skip
            payload = _payload(bytes(found.payload), found.payloadlen, raw)
            topic = raw(found.topic)
        except _FAILURES as error:
            raise NoRecordError(_reason(error)) from None
        received_us = _from_mosquitto(found.tst) if isinstance(found.tst, str) else _from_unix(found.tst)
        origin = Origin.REPLAY if found.retain else Origin.IMPORTED
        return _message(topic, payload, found.qos, found.retain, properties, received_us, origin)


Lines = OurLines | MosquittoLines


def topic_of(line: bytes) -> str | None:
    """The topic of a line, in a sixth of the time that reading it takes; None: only reading it tells."""
    try:
        return _decode_topic(line).topic
    except _FAILURES:
        return None


def lines_like(line: bytes) -> Lines:
    """What reads a file that begins with this line. Raises `NoRecordError`, also where the line itself is no record."""
    try:
        keys = _decode_keys(line)
    except UnicodeDecodeError:
        keys = {"tst": msgspec.Raw()} if b'"tst"' in line else {}
    except _FAILURES as error:
        raise NoRecordError(_reason(error)) from None
    if "payload_b64" in keys:
        found: Lines = OurLines()
    elif "tst" in keys:
        found = MosquittoLines()
    else:
        raise NoRecordError("it has neither “payload_b64” nor “tst”")
    found.read(line)
    return found


def _message(
    topic: str | bytes, payload: bytes, qos: int, retain: int, properties: Properties | None, received_us: int, origin: Origin
) -> RawMessage:  # fmt: skip
    return RawMessage(_topic(topic), payload, qos, bool(retain), False, 0, properties, received_us, origin, 0)


@lru_cache(maxsize=65_536)
def _topic(topic: str | bytes) -> bytes:
    """Topics come again and again."""
    raw = topic.encode() if isinstance(topic, str) else topic
    if not 0 < len(raw) <= LONGEST_TOPIC or _FORBIDDEN.search(raw):
        raise NoRecordError("topic is none that a message can have")
    return raw


def _payload(told: bytes, length: int | None, raw: Callable[[str], bytes]) -> bytes:
    """Text as %j prints it, else any JSON as %J nests it: its own bytes. Text that is as long only with its quotes and
    escapes was itself the JSON."""
    if told[:1] != b'"':
        return b"" if told == b"null" and not length else told
    payload = raw(_decode_text(told))
    if length == len(told) != len(payload):
        return told
    return payload + b"\0" if length == len(payload) + 1 else payload


def _raw_aside(text: str) -> bytes:
    return text.translate(_BACK).encode("utf-8", "surrogateescape")


def _pairs(told: msgspec.Raw) -> tuple[tuple[str, str], ...]:
    pairs: Any = json.loads(bytes(told), object_pairs_hook=tuple)
    if not isinstance(pairs, tuple) or not all(isinstance(value, str) for _, value in pairs):
        raise NoRecordError("user-properties are no texts by name")
    return pairs


def _from_unix(seconds: float) -> int:
    if not 0 <= seconds <= _LAST_SECOND or not math.isfinite(seconds):
        raise NoRecordError("its time is none in Unix seconds")
    return round(seconds * 1_000_000)


def _from_mosquitto(text: str) -> int:
    found = _MOSQUITTO_TIME.fullmatch(text)
    if found is None:
        raise NoRecordError("tst is no time of mosquitto_sub")
    return _seconds(found[1] + (found[3] or "+0000")) * 1_000_000 + int((found[2] or "").ljust(6, "0"))


@lru_cache(maxsize=64)
def _seconds(moment: str) -> int:
    """Unix seconds; those of one second are asked for together."""
    try:
        seconds = math.floor(datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S%z").timestamp())
    except (ValueError, OverflowError):
        raise NoRecordError("tst is no time of mosquitto_sub") from None
    if not 0 <= seconds <= _LAST_SECOND:
        raise NoRecordError("tst lies before 1970")
    return seconds


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "not UTF-8"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)
