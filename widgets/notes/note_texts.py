"""Annotations in words."""

from PySide6.QtCore import QCoreApplication

from models.domain.annotations import Annotation
from models.domain.quantity import format_time
from widgets.common.numbers import duration_text
from widgets.common.plain import visible

_TIP_LINES, _TIP_LINE = 6, 160

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def time_text(one: Annotation, digits: int = 0) -> str:
    """When it is about; of a stretch both ends."""
    since = format_time(one.since_us, digits=digits)
    return f"{since} – {format_time(one.until_us, None, one.since_us, digits)}" if one.is_stretch else since


def length_text(one: Annotation) -> str:
    """Of a stretch; of a moment nothing."""
    return duration_text(one.until_us - one.since_us) if one.is_stretch else ""


def tags_text(one: Annotation) -> str:
    """Each with its #."""
    return " ".join(f"#{visible(tag, 80)}" for tag in one.tags)


def short_text(one: Annotation) -> str:
    """Its first words, or its tags where it has none."""
    first = next((line for line in one.text.splitlines() if line.strip()), "")
    return visible(first.strip(), 80) or tags_text(one)


def told_text(one: Annotation, agent: str) -> str:
    """For a tooltip, without the time: the word for it, whose it is (`agent` may be empty), its text and tags."""
    lines = [visible(line, _TIP_LINE) for line in one.text.splitlines() if line.strip()]
    if len(lines) > _TIP_LINES:
        lines = [*lines[:_TIP_LINES], "…"]
    head = translate("Annotations", "Annotation")
    if agent:
        head = translate("Annotations", "Annotation on {agent}").replace("{agent}", visible(agent, 80))
    whole = "\n".join([*lines, tags_text(one)] if one.tags else lines)
    return f"{head}: {whole}"
