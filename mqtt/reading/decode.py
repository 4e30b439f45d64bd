"""Bytes to values, once, tolerantly: what real programs send includes NaN, trailing NULs and lone surrogates."""

import json
import re
from typing import Any

import msgspec

from mqtt.reading.plan import Unread

_PADDING = b"\0 \t\r\n"
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # ESC stays: terminal colours are text
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode
FAILURES = (msgspec.MsgspecError, ValueError, RecursionError)
"""What a msgspec decoder raises on bytes it cannot take."""


def strip(payload: bytes) -> bytes:
    """Without the spaces, line ends and NULs around it."""
    return payload.strip(_PADDING)


def read_json(payload: bytes) -> Any:
    """The value of a JSON text; NaN and numbers beyond a double read as None. Raises `Unread`."""
    try:
        return _decode(payload)
    except RecursionError:
        raise Unread("too-deep") from None
    except (msgspec.MsgspecError, ValueError):
        return _read_tolerantly(payload)


def read_object(payload: bytes) -> dict[str, Any]:
    """As `read_json`, and it must be an object. Raises `Unread`."""
    payload = strip(payload)
    if not payload:
        raise Unread("empty")
    if payload[:1] not in (b"{", b"\xef"):
        read_text(payload)
    value = read_json(payload)
    if not isinstance(value, dict):
        raise Unread("shape")
    return value


def read_text(payload: bytes) -> str:
    """A payload as text without colours and padding. Raises `Unread` for bytes that are none."""
    try:
        text = payload.strip(_PADDING).decode()
    except UnicodeDecodeError:
        raise Unread("binary") from None
    if text.isprintable():
        return text
    if _BINARY.search(text):
        raise Unread("binary")
    return _ANSI.sub("", text) if "\x1b" in text else text


def unpacked(payload: bytes) -> list[dict[str, Any]] | str:
    """The objects of a stripped payload: one, several in a list, or one that was made into JSON twice; else its text. Raises
    `Unread`."""
    if payload[:1] not in b'{["':
        return read_text(payload)
    try:
        value = read_json(payload)
    except Unread as failure:
        if failure.reason == "json" and b"}\n" in payload:
            return _lines(payload)
        if failure.reason != "json" or payload[:1] != b"[":
            raise
        return read_text(payload)  # [2026-11-23 07:47:30] [INFO] a line
    if isinstance(value, str):
        inner = read_json(value.encode()) if value[:1] == "{" else None
        return [inner] if isinstance(inner, dict) else value
    if isinstance(value, dict):
        return [value]
    if not value or not all(isinstance(one, dict) for one in value):
        raise Unread("shape")
    found: list[dict[str, Any]] = value
    return found


def _lines(payload: bytes) -> list[dict[str, Any]]:
    """Objects that stand in lines of their own. Raises `Unread`."""
    found = [read_json(line) for line in payload.splitlines() if line.strip()]
    if not all(isinstance(one, dict) for one in found):
        raise Unread("json")
    return found


def compact(value: object) -> str:
    """Compact JSON with sorted keys. Raises `Unread` for what is nested too deep."""
    try:
        return _encode(value).decode()
    except RecursionError:
        raise Unread("too-deep") from None
    except OverflowError:  # an integer of more than 64 bits
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _read_tolerantly(payload: bytes) -> Any:
    try:
        text = payload.strip(_PADDING).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unread("binary") from None
    try:
        return _clean(json.loads(text, parse_constant=_no_number))
    except RecursionError:
        raise Unread("too-deep") from None
    except ValueError:
        raise Unread("binary" if _BINARY.search(text) else "json") from None


def _no_number(_: str) -> None:
    """NaN, Infinity and -Infinity are no numbers."""


def _clean(value: Any) -> Any:
    """Without infinities and lone surrogates, which neither columns nor UTF-8 can hold."""
    if isinstance(value, float):
        return value if abs(value) != float("inf") else None
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {_clean_text(key): _clean(one) for key, one in value.items()}
    return value


def _clean_text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
