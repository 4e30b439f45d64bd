"""What home-made payloads tell of being there: words on topics and under keys that speak of it, and beats."""

from functools import lru_cache
from typing import Any

from models.domain.messages import Origin, RawMessage
from models.domain.presence_words import Cause, Condition, Presence, read_status_word
from models.domain.timestamps import read_time
from mqtt.reading.generic_numbers import read_number
from mqtt.reading.generic_topics import OF_STATUS, is_name

_PRESENCE = frozenset(
    "status state availability available lwt online presence connection connected heartbeat alive $state".split()
)
_BEFORE_NAMES = frozenset("status availability lwt presence heartbeat".split())
SWITCHES = frozenset(("availability", "lwt", "online", "connected", "alive"))
DECLARED = SWITCHES | {"available", "$state"}  # speak of nothing but being there: rank 2
_BEATS = frozenset(("heartbeat", "alive"))
_BEAT_WORDS = frozenset("ping pong beat tick hello hb heartbeat".split())
_SINGLE = frozenset(("value", "val", "Value"))
_GONE = (Presence.OFFLINE, Presence.STOPPED)
Word = tuple[Presence, Condition]


def presence_level(levels: list[str]) -> str | None:
    """The level of a topic that speaks of presence, folded: the last one, or the one before a name (`lwt/planner`)."""
    last = levels[-1].casefold().removeprefix("is_")
    if last in _PRESENCE or (last == "mqtt" and len(levels) == 2):  # printer/mqtt: connected
        return last
    if last.endswith(OF_STATUS):
        return "status"
    before = levels[-2].casefold() if len(levels) > 1 else ""
    return before if before in _BEFORE_NAMES and is_name(levels[-1]) else None


@lru_cache(4_096)
def tells_presence(key: str) -> bool:
    """Whether the word under a key of a payload may be one of presence."""
    folded = key.casefold()
    return folded in _PRESENCE or folded.endswith("_status")


def is_beat(level: str | None, text: str, message: RawMessage) -> bool:
    """Whether a text on a topic of heartbeats says nothing but that somebody is there: a word for that, or the time."""
    if level not in _BEATS:
        return False
    number = read_number(text)
    return text.casefold() in _BEAT_WORDS or (
        number is not None and not number[1] and read_time(number[0], message.received_us) is not None
    )


def may_beat(level: str | None, message: RawMessage) -> bool:
    """Whether an object without anything to read says just that."""
    return level in _BEATS and message.origin is not Origin.REPLAY


def words_of(body: dict[str, Any], level: str | None) -> list[tuple[Word, Cause, int]]:
    """Words under the keys of an object, each with its cause and rank."""
    found = []
    for key, value in body.items():
        if level is not None and key in _SINGLE and (isinstance(value, str) or (value is True or value is False)):
            word = read_status_word(str(value), level in SWITCHES)
            if word is not None:
                found.append((word, *weight(level, word[0])))
        if not tells_presence(key):
            continue
        folded = key.casefold()
        if isinstance(value, bool) and folded in SWITCHES:
            value = "true" if value else "false"  # noqa: PLW2901 - the word for it
        word = read_status_word(value, folded in SWITCHES) if isinstance(value, str) else None
        if word is not None and level is not None:
            found.append((word, *weight(level, word[0])))
        elif word is not None and not folded.endswith("_status"):
            found.append((word, Cause.GOODBYE if word[0] is Presence.STOPPED else Cause.STATUS, 1))
    return found


def weight(level: str | None, presence: Presence) -> tuple[Cause, int]:
    """Cause and rank of a word on a presence topic: `offline` is the will's word, `stopped` a goodbye."""
    rank = 2 if level in DECLARED else 1
    if presence is Presence.OFFLINE:
        return Cause.WILL, 2
    return (Cause.GOODBYE if presence is Presence.STOPPED else Cause.STATUS), rank
