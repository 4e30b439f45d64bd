"""Dataset `messages`: every message as it came."""

import base64
import json
import logging
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from models.domain.messages import Kind as MessageKind
from models.domain.messages import Origin
from models.storage.export.cells import END, payload_text, text_cell, topic_text
from models.storage.export.scope import Block, Scope
from models.storage.segments.message_properties import decode
from models.storage.segments.open_segment import OpenSegment, Row

log = logging.getLogger(__name__)

_COLUMNS = "received_us, topic_id, agent_id, kind, flags, properties, payload"
_PAYLOAD = (6,)


def read_messages(scope: Scope, opened: OpenSegment) -> Iterator[Block]:
    """By arrival."""
    lines = _json_lines if scope.shape.jsonl else _Cells(opened).lines
    for page in scope.rows(opened, "message", _COLUMNS, sizes=_PAYLOAD):
        yield Block([row[0] for row in page], lines(scope, opened, page), page[-1][-1])


class _Cells:
    """Cells that many messages share, made once."""

    def __init__(self, opened: OpenSegment) -> None:
        self._opened = opened
        self._names: dict[tuple[int, int], str] = {}  # topic, agent
        self._flags: dict[tuple[int, int], str] = {}  # kind, flags

    def lines(self, scope: Scope, _opened: OpenSegment, page: list[Row]) -> list[str]:
        found = []
        names, codes, time = self._names, self._flags, scope.shape.time
        for received, topic, agent, kind, flags, properties, payload, _ in page:
            name = names.get((topic, agent)) or self._name(topic, agent)
            code = codes.get((kind, flags)) or self._code(kind, flags)
            text, encoding = payload_text(payload)
            tail = _NO_PROPERTIES if properties is None else _property_cells(properties)
            found.append(f"{time(received)},{name}{code}{len(payload)},{text_cell(text)},{encoding}{tail}")
        return found

    def _name(self, topic: int, agent: int) -> str:
        cells = f"{text_cell(topic_text(self._opened.topic(topic)))},{text_cell(self._opened.agent(agent))},"
        self._names[topic, agent] = cells
        return cells

    def _code(self, kind: int, flags: int) -> str:
        word, origin, qos, retain, duplicate = _codes(kind, flags)
        cells = f"{word},{origin},{qos},{str(retain).lower()},{str(duplicate).lower()},"
        self._flags[kind, flags] = cells
        return cells


def _codes(kind: int, flags: int) -> tuple[str, str, int, bool, bool]:
    """Words of kind and origin, QoS, retain, duplicate."""
    word, origin = MessageKind(kind).name.lower(), Origin(flags >> 4 & 3).name.lower()
    return word, origin, flags & 3, bool(flags & 4), bool(flags & 8)


_NO_PROPERTIES = f",,,,{END}"


@lru_cache(maxsize=1_024)
def _properties(text: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Content type, response topic, correlation (base64) and user properties (JSON: a repeated key holds a list)."""
    try:
        found = decode(text)
    except ValueError as error:
        log.warning("stored properties cannot be read: %s", error)
        found = None
    if found is None:
        return None, None, None, None
    user: dict[str, Any] = {}
    for key, value in found.user:
        before = user.get(key)
        user[key] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    correlation = None if found.correlation is None else base64.b64encode(found.correlation).decode("ascii")
    pairs = json.dumps(user, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if user else None
    return _storable(found.content_type), _storable(found.response_topic), correlation, _storable(pairs)


def _storable(text: str | None) -> str | None:
    """Half a surrogate pair, which JSON can hold and UTF-8 cannot, becomes an escape."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")


@lru_cache(maxsize=1_024)
def _property_cells(text: str) -> str:
    return "," + ",".join(text_cell(one) for one in _properties(text)) + END


def _json_lines(scope: Scope, opened: OpenSegment, page: list[Row]) -> list[str]:
    rows = []
    for received, topic, agent, kind, flags, properties, payload, _ in page:
        text, encoding = payload_text(payload)
        told = (None, None, None, None) if properties is None else _properties(properties)
        topic_name, agent_name = topic_text(opened.topic(topic)), opened.agent(agent) or None
        rows.append((received, topic_name, agent_name, *_codes(kind, flags), len(payload), text, encoding, *told))
    return scope.shape.lines(rows)
