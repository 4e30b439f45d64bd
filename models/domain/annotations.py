"""What people mark in time: a moment or a stretch, in their own words. Typed by a person, so nothing in it is hidden."""

import re
import secrets
import uuid
from dataclasses import dataclass
from typing import NamedTuple

from models.domain.control import Command

MOST_TEXT = 10_000
MOST_TAGS = 20
MOST_TAG_TEXT = 60


class Annotation(NamedTuple):
    """`id` is a UUIDv7. `until_us` is `since_us` where it is about a moment. `agent` and `agent_id` (its local number, and its
    name in exports) are 0 and "" where it concerns everybody."""

    id: str
    since_us: int
    until_us: int
    agent: int
    agent_id: str
    text: str
    tags: tuple[str, ...]
    changed_us: int

    @property
    def is_stretch(self) -> bool:
        return self.until_us > self.since_us


@dataclass(frozen=True, slots=True)
class AnnotationsRequest:
    """All there are: people write them, so they are few."""


@dataclass(frozen=True, slots=True)
class AnnotationsResult:
    """By their beginning."""

    request: AnnotationsRequest
    annotations: tuple[Annotation, ...]


def tags_of(typed: str) -> tuple[str, ...]:
    """Tags between spaces or commas, each once however it is written, with or without a leading #."""
    found: dict[str, str] = {}
    for word in re.split(r"[\s,]+", typed):
        tag = word.lstrip("#")
        if tag:
            found.setdefault(tag.casefold(), tag)
    return tuple(found.values())


def new_id(now_us: int) -> str:
    """A UUIDv7 (RFC 9562, 5.7): those made later sort behind."""
    value = (now_us // 1_000) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def put_command(annotation: Annotation) -> dict[str, object]:
    """For the recorder: keep it, in place of an earlier one with this id."""
    return {
        "do": Command.ANNOTATE.value,
        "id": annotation.id,
        "since_us": annotation.since_us,
        "until_us": annotation.until_us,
        "agent": annotation.agent_id,
        "text": annotation.text,
        "tags": list(annotation.tags),
    }


def remove_command(id_: str) -> dict[str, object]:
    """For the recorder: keep it no more."""
    return {"do": Command.UNANNOTATE.value, "id": id_}
