"""What people marked in time, in the catalogue: kept, removed, brought from another workspace."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import apsw

from models.domain.annotations import MOST_TAG_TEXT, MOST_TAGS, MOST_TEXT
from models.storage.names_table import storable
from models.storage.writing.take_in import NEW_AGENT

_LAST_US = 1 << 62
_MOST_ID = 64
_PUT = """INSERT INTO annotation(id, since_us, until_us, agent_id, text, tags, changed_us) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT(id) DO UPDATE SET since_us = excluded.since_us, until_us = excluded.until_us, agent_id = excluded.agent_id,
    text = excluded.text, tags = excluded.tags, changed_us = excluded.changed_us"""
_BRING = f"{_PUT} WHERE excluded.changed_us > annotation.changed_us"
_CHANGED = """INSERT INTO workspace(key, value) VALUES ('annotations', '1')
    ON CONFLICT(key) DO UPDATE SET value = CAST(value + 1 AS TEXT)"""


class Kept(NamedTuple):
    """A row of the table, with its agent by name ("": everybody)."""

    id: str
    since_us: int
    until_us: int
    agent: str
    text: str
    tags: str
    changed_us: int


def id_from(command: Mapping[str, object]) -> str:
    """Raises `ValueError` where it is none."""
    id_ = command.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= _MOST_ID:
        raise ValueError(f"{command.get('do')} wants id (text)")
    return id_


def kept_from(command: Mapping[str, object], now_us: int) -> Kept:
    """Raises `ValueError` for what cannot be kept."""
    id_ = id_from(command)
    agent, text, tags = (command.get(key) for key in ("agent", "text", "tags"))
    since_us, until_us = command.get("since_us"), command.get("until_us")
    if type(since_us) is not int or type(until_us) is not int or not 0 <= since_us <= until_us < _LAST_US:
        raise ValueError("annotation.put wants since_us and until_us (int), in this order")
    if not isinstance(agent, str) or not isinstance(text, str) or len(text) > MOST_TEXT:
        raise ValueError(f"annotation.put wants agent and text, at most {MOST_TEXT:,} characters")
    if not isinstance(tags, list) or len(tags) > MOST_TAGS or not all(map(_is_tag, tags)):
        raise ValueError(f"annotation.put wants tags (list of text), at most {MOST_TAGS} of {MOST_TAG_TEXT} characters")
    told = json.dumps(tags, ensure_ascii=False, separators=(",", ":"))
    return Kept(str(storable(id_)), since_us, until_us, agent, str(storable(text)), str(storable(told)), now_us)


def _is_tag(tag: object) -> bool:
    return isinstance(tag, str) and 0 < len(tag) <= MOST_TAG_TEXT


def put_annotation(catalogue: apsw.Connection, kept: Kept, agent: int) -> None:
    """Within a transaction."""
    catalogue.execute(_PUT, (*kept[:3], agent, *kept[4:]))
    catalogue.execute(_CHANGED)


def remove_annotation(catalogue: apsw.Connection, id_: str) -> None:
    """Within a transaction."""
    catalogue.execute("DELETE FROM annotation WHERE id = ?", (id_,))
    catalogue.execute(_CHANGED)


def bring_annotations(catalogue: apsw.Connection, some: Sequence[Kept], agents: Mapping[str, int]) -> None:
    """Those of another catalogue, within a transaction: each once, of two versions the newer one. `agents`: ids here of those
    they name, of whom nothing else need be held."""
    catalogue.executemany(NEW_AGENT, [(id_, name) for name, id_ in agents.items()])
    catalogue.executemany(_BRING, [(*one[:3], agents.get(one.agent, 0), *one[4:]) for one in some])
    if some:
        catalogue.execute(_CHANGED)
