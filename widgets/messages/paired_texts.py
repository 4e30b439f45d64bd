"""Sentences about a request and its replies."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from models.domain.paired import LONELY, Paired, Part, Step
from models.domain.queries import MessageLine
from models.domain.records import Outcome
from widgets.common.numbers import count_text, duration_text
from widgets.common.plain import visible
from widgets.common.words import outcome_word

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def is_waiting(found: Paired, now_us: int) -> bool:
    """A reply may still come in time."""
    return (
        bool(found.steps)
        and not found.answers
        and found.steps[-1].part is not Part.WITHDRAWN
        and now_us < found.until_us
    )


def title_of(found: Paired) -> str:
    """Who asks whom for what."""
    somebody = translate("Paired", "somebody")
    told = translate("Paired", "{sender} asks {receiver}").replace("{sender}", found.sender or somebody)
    told = told.replace("{receiver}", found.receiver or somebody)
    return visible(" · ".join(filter(None, (told, found.kind, found.id))), 300)


def sentence_of(found: Paired | None, lines: Sequence[MessageLine], now_us: int) -> str:
    """How it went. `lines`: what the steps speak of."""
    if found is None:
        return translate("Paired", "It neither asks for a reply nor answers anything, as far as it can be read.")
    if found is LONELY:
        return translate(
            "Paired", "It is a reply, but the request that it answers is not among what was recorded around it."
        )
    if not found.answers:
        return _unanswered(found, lines, now_us)
    first, *more = found.answers
    took = duration_text(after_us(lines, found.steps[0], first))
    text = translate("Paired", "Answered after {time}: {outcome}.")
    if first.late:
        text = translate("Paired", "Timed out; answered too late, after {time}: {outcome}.")
    told = [text.replace("{time}", took).replace("{outcome}", outcome_word(first.outcome))]
    parts = sum(step.part is Part.SIGN for step in found.steps)
    if parts:
        told.append(translate("Paired", "{n} parts or signs of work.").replace("{n}", count_text(parts)))
    if more:
        told.append(translate("Paired", "Answered {n} times.").replace("{n}", count_text(1 + len(more))))
    return " ".join(told)


def _unanswered(found: Paired, lines: Sequence[MessageLine], now_us: int) -> str:
    asked_us = lines[found.steps[0].message].key.received_us
    if found.steps[-1].part is Part.WITHDRAWN:
        return translate("Paired", "The request was withdrawn before anybody answered.")
    if is_waiting(found, now_us):
        text = translate("Paired", "No reply yet; it is waited for since {time}.")
        return text.replace("{time}", duration_text(max(0, now_us - asked_us)))
    if not found.sure:
        return translate("Paired", "No reply was recorded, and nothing says that it wants one.")
    text = translate("Paired", "Timed out: no reply was recorded within {time}.")
    return text.replace("{time}", duration_text(found.until_us - asked_us))


def after_us(lines: Sequence[MessageLine], request: Step, step: Step) -> int:
    """Between the arrivals of both."""
    return lines[step.message].key.received_us - lines[request.message].key.received_us


def part_word(step: Step, *, again: bool) -> str:
    """What a message is in it; `again`: it was answered before."""
    if step.part is Part.ANSWER:
        if step.late:
            return translate("Paired", "late reply")
        return translate("Paired", "another reply") if again else translate("Paired", "reply")
    return {
        Part.REQUEST: translate("Paired", "request"),
        Part.AGAIN: translate("Paired", "asked again"),
        Part.SIGN: translate("Paired", "part of a reply"),
        Part.WITHDRAWN: translate("Paired", "withdrawn"),
    }[step.part]


def outcome_of(step: Step) -> str:
    """Of an answer; else nothing."""
    return outcome_word(step.outcome) if step.part is Part.ANSWER else ""


def is_bad(step: Step) -> bool:
    """A reply that tells of a failure, or came too late."""
    return step.part is Part.ANSWER and (step.late or step.outcome is not Outcome.OK)
