"""What one says of why something is there. Translated texts from plain data."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from models.domain.names import SeriesKind
from models.domain.origins import AgentOrigin, AgentWhy, MessageWhy, SeriesOrigin
from models.domain.presence_words import Cause, Presence
from models.domain.quantity import format_time
from models.domain.rules import Rules
from widgets.common.plain import visible
from widgets.common.words import cause_sentence, cause_word, convention_word, presence_word, unreadable_sentence

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected

RULE, HOME_MADE, NOBODY = "rule", "generic", ""


def topic_text(topic: bytes) -> str:
    """What is no UTF-8 as escapes."""
    return visible(topic.decode("utf-8", "backslashreplace"))


def read_by(source: str, rules: Sequence[int]) -> str:
    """Who made it."""
    match source:
        case "rule" if len(rules) == 1:
            return translate("Why", "your rule {n}").replace("{n}", str(rules[0]))
        case "rule" if rules:
            return translate("Why", "your rules {n}").replace("{n}", _listed(rules))
        case "rule":
            return translate("Why", "a rule of yours")
        case "generic":
            return translate("Why", "home-made, by its shape")
        case "murmurscope":
            return translate("Why", "our own contract")
        case "declared":
            return translate("Why", "what was declared of it")
        case "broker":
            return translate("Why", "what brokers tell")
        case "":
            return translate("Why", "nobody")
    return convention_word(source)


def kind_of_series(kind: SeriesKind) -> str:
    """In a word."""
    return translate("Why", "counter") if kind is SeriesKind.COUNTER else translate("Why", "gauge")


def unit_of(unit: str) -> str:
    """That values are stored in."""
    if unit == "1":
        return translate("Why", "1 (ratio)")
    return visible(unit) or translate("Why", "no unit")


def agent_sentences(found: AgentOrigin) -> list[str]:
    """How it is, what it speaks, when it was heard."""
    presence = Presence(found.presence)
    told = [_presence(found, presence)]
    if found.convention:
        told.append(
            translate("Why", "It speaks {convention}.").replace("{convention}", convention_word(found.convention))
        )
    else:
        told.append(translate("Why", "It never declared itself: it was found in what was sent."))
    if found.first_us:
        heard = translate("Why", "Heard first {first}, last {last}.")
        told.append(heard.replace("{first}", format_time(found.first_us)).replace("{last}", format_time(found.last_us)))
    return told


def _presence(found: AgentOrigin, presence: Presence) -> str:
    if found.cause not in list(Cause):
        return translate("Why", "Nothing is known of its presence yet.")
    cause = Cause(found.cause)
    text = translate("Why", "Now {presence} ({cause}) since {time}. {sentence}")
    places = {
        "{presence}": presence_word(presence), "{cause}": cause_word(cause), "{time}": format_time(found.since_us),
        "{sentence}": cause_sentence(cause),
    }  # fmt: skip
    for place, value in places.items():
        text = text.replace(place, value)
    return text


def series_sentences(why: AgentWhy, one: SeriesOrigin) -> list[str]:
    """Of one series."""
    source = why.source(one)
    text = translate("Why", "A {kind} in {unit}, read by: {who}.")
    places = {
        "{kind}": kind_of_series(one.kind), "{unit}": unit_of(one.unit), "{who}": read_by(one.source, source.rules)
    }  # fmt: skip
    for place, value in places.items():
        text = text.replace(place, value)
    told = [text]
    told += rule_sentences(source.rules, why.known)
    if not source.topics:
        told.append(translate("Why", "It is in none of the newest messages of this agent."))
    return told


def rule_sentences(numbers: Sequence[int], known: Rules) -> list[str]:
    """What these rules say, as the file of rules has it."""
    text = translate("Why", "Rule {n}: {rule}")
    return [text.replace("{n}", str(one)).replace("{rule}", visible(known.rules[one - 1].as_line())) for one in numbers]


def message_sentences(why: MessageWhy) -> list[str]:
    """Of one message."""
    told = []
    if why.ignored:
        told.append(translate("Why", "A rule of yours says that nothing is read of it."))
    elif why.source:
        text = translate("Why", "It came on {topic}, which is read by: {who}.")
        told.append(text.replace("{topic}", topic_text(why.topic)).replace("{who}", read_by(why.source, ())))
    else:
        text = translate("Why", "It came on {topic}. Nothing is read of such topics; messages there are only stored.")
        told.append(text.replace("{topic}", topic_text(why.topic)))
    told += rule_sentences(why.rules, why.known)
    told += [unreadable_sentence(str(row.value)) for row in why.rows if row.what == "unreadable"]
    if not why.rows and why.source and not why.ignored:
        told.append(translate("Why", "No row came of it; it may still declare what others mean."))
    told.append(
        translate("Why", "It was read just now, with the rules as they are. What is stored was read when it came.")
    )
    return [one for one in told if one]


def may_be_taught(why: AgentWhy | MessageWhy) -> bool:
    """Would a rule help? What a convention tells needs none."""
    if isinstance(why, MessageWhy):
        return why.source in ("", HOME_MADE) or bool(why.rules) or any(row.what == "unreadable" for row in why.rows)
    return not why.origin.series or any(one.source in (HOME_MADE, RULE) for one in why.origin.series)


def by_rules(why: AgentWhy | MessageWhy) -> bool:
    """Has a rule of the user's a share in it?"""
    if isinstance(why, MessageWhy):
        return bool(why.rules)
    return any(one.source == RULE for one in why.origin.series)


def what_word(what: str, value: float | str) -> str:
    """The metric, or what else a message was read as."""
    if isinstance(value, str):
        match what:
            case "log":
                return translate("Why", "log record")
            case "presence":
                return translate("Why", "presence")
            case "task":
                return translate("Why", "task")
            case "unreadable":
                return translate("Why", "cannot be read")
    return visible(what)


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
