"""Sparkplug B payloads: the parts of their protobuf that a monitor needs, read without a schema compiler. Pure.

The field numbers are those of the specification's chapter 6. Unknown fields are skipped, as protobuf wants it.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from mqtt.reading.plan import Unread

MOST_UNPACKED_BYTES = 4 * 1024 * 1024
MOST_METRICS = 50_000
"""Of one message: a few packed bytes may be as many as a machine has room for."""
COMPRESSED = "SPBV1.0_COMPRESSED"
_SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
_DOUBLES = struct.Struct("<d")
_FLOATS = struct.Struct("<f")
_INTEGERS = range(1, 9)
_FLOAT, _DOUBLE = 9, 10
_Field = int | float | bytes
_UNIT = "engUnit"


class Metric(NamedTuple):
    """One value. `name` and `alias`: at least one is there, else it cannot be told whose it is. `number` is None for
    everything but a number: null, text, truth, moment, data set; so is a number that is not finite."""

    name: str | None
    alias: int | None
    time_ms: int | None
    data_type: int
    historical: bool
    number: float | None
    text: str | None
    unit: str


class Payload(NamedTuple):
    time_ms: int | None
    metrics: list[Metric]
    seq: int | None


def read_payload(data: bytes) -> Payload:
    """Raises `Unread`: binary where it is no such payload, shape where it unpacks to too much."""
    try:
        return _payload(data, unpack=True)
    except (IndexError, struct.error, UnicodeDecodeError, zlib.error):
        raise Unread("binary") from None


def _payload(data: bytes, *, unpack: bool) -> Payload:
    time_ms = seq = None
    metrics: list[Metric] = []
    uuid, body = b"", b""
    for number, value in _fields(data):
        if isinstance(value, bytes):
            if number == 2:
                if len(metrics) >= MOST_METRICS:
                    raise Unread("shape")
                metrics.append(_metric(value))
            elif number == 4:
                uuid = value
            elif number == 5:
                body = value
        elif isinstance(value, int):
            if number == 1:
                time_ms = value
            elif number == 3:
                seq = value
    if uuid == COMPRESSED.encode() and unpack:
        inner = _payload(_unpacked(body), unpack=False)
        return inner._replace(seq=inner.seq if seq is None else seq)
    return Payload(time_ms, metrics, seq)


def _metric(data: bytes) -> Metric:
    name = alias = time_ms = text = None
    data_type, historical, unit = 0, False, ""
    value: int | float | None = None
    for number, field in _fields(data):
        if isinstance(field, bytes):
            if number == 1:
                name = field.decode()
            elif number == 9:
                unit = _unit(field)
            elif number == 15:
                text = field.decode()
        elif number in (10, 11, 12, 13):
            value = field
        elif isinstance(field, int):
            if number == 2:
                alias = field
            elif number == 3:
                time_ms = field
            elif number == 4:
                data_type = field
            elif number == 5:
                historical = bool(field)
    return Metric(name, alias, time_ms, data_type, historical, value, text, unit)


def is_figure(data_type: int) -> bool:
    """Whether values of this type are numbers to plot; 0 is a type that was not told."""
    return data_type in (0, *_INTEGERS, _FLOAT, _DOUBLE)


def number_of(metric: Metric, data_type: int) -> float | None:
    """Its finite number. Signed integers travel as unsigned two's complement; a type that is not told is taken as it came.
    `data_type` is what the birth said."""
    value, kind = metric.number, metric.data_type or data_type
    if value is None or not is_figure(kind):
        return None
    if isinstance(value, int) and kind in _SIGNED_BITS:
        bits = _SIGNED_BITS[kind]
        value &= (1 << bits) - 1
        if value >> (bits - 1):
            value -= 1 << bits
    return float(value) if math.isfinite(value) else None


def _unit(properties: bytes) -> str:
    """What a metric's property set calls its unit."""
    keys: list[bytes] = []
    values: list[bytes] = []
    for number, field in _fields(properties):
        if isinstance(field, bytes):
            (keys if number == 1 else values if number == 2 else []).append(field)
    for key, value in zip(keys, values, strict=False):
        if key.decode() == _UNIT:
            texts = [field for number, field in _fields(value) if number == 8 and isinstance(field, bytes)]
            return texts[-1].decode() if texts else ""
    return ""


def _unpacked(body: bytes) -> bytes:
    """GZIP and DEFLATE tell themselves apart by how they begin."""
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    data = decompressor.decompress(body, MOST_UNPACKED_BYTES)
    if decompressor.unconsumed_tail:
        raise Unread("shape")
    if not decompressor.eof:
        raise Unread("binary")
    return data


def _fields(data: bytes) -> Iterator[tuple[int, _Field]]:
    """Number and value of each field. Raises `IndexError` and `struct.error` where it is cut short, `Unread` for what is no
    protobuf."""
    at, end = 0, len(data)
    while at < end:
        key = data[at]
        at += 1
        if key > 0x7F:
            key, at = _varint(data, at - 1)
        number, wire = key >> 3, key & 7
        if not number:
            raise Unread("binary")
        if wire == 0:
            value = data[at]
            at += 1
            if value > 0x7F:
                value, at = _varint(data, at - 1)
            yield number, value
        elif wire == 2:
            length = data[at]
            at += 1
            if length > 0x7F:
                length, at = _varint(data, at - 1)
            if at + length > end:
                raise IndexError
            yield number, data[at : at + length]
            at += length
        elif wire == 1:
            yield number, _DOUBLES.unpack_from(data, at)[0]
            at += 8
        elif wire == 5:
            yield number, _FLOATS.unpack_from(data, at)[0]
            at += 4
        else:
            raise Unread("binary")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
    raise Unread("binary")
