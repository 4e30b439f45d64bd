"""Where an agent is at home without having declared it: it says on `lab/planner/status` that it is there, or at its root that
it is connected (`printer/mqtt`, `cams/available`).

What lies below is mostly its own (`lab/planner/thought`, `cams/front_door/person`): no part of it is an agent, but for what has a
name with a number of its own.
"""

import re

from models.domain.messages import RawMessage
from models.domain.presence_words import read_status_word
from mqtt.reading.decode import read_object, read_text, strip
from mqtt.reading.generic_topics import Place, is_name, is_numbered, is_role, place_below
from mqtt.reading.plan import Unread
from mqtt.reading.presence_told import DECLARED, SWITCHES, words_of

_LEAVES = DECLARED | {"status", "mqtt"}
_BELOW = DECLARED | {"status"}
_CONNECTED = frozenset("online offline connected disconnected".split())
_PARTS = re.compile(
    r"(cam|camera|tool|extruder|bed|zone|channel|ch|relay|port|phase|slot|axis|joint|motor|loadpoint|lp|circuit|input|output|led"
    r"|pin|gpio|adc|fan|core|gpu|disk|vehicle|room|valve|switch|sensor|probe|battery|string|inverter|meter)[-_]?\d{1,2}",
    re.IGNORECASE,
)
_BEFORE_PARTS = frozenset(
    "network net interface interfaces wifi disk disks diskio fs filesystem gpu cpu core temperature temperatures humidity power".split()
)
LEAF_MARKS = (b"lwt", b"LWT", b"vailab", b"nline", b"onnected", b"live", b"status", b"mqtt")
"""One of them stands in every topic at a root that may tell of presence."""


def may_tell_of_lodging(levels: list[str]) -> bool:
    """Whether a topic may say of the level before its last that it is there."""
    return (
        len(levels) > 1 and levels[-1].casefold() in (_LEAVES if len(levels) == 2 else _BELOW) and is_name(levels[-2])
    )


def tells_of_lodging(message: RawMessage, levels: list[str]) -> bool:
    """Whether a message on such a topic says that somebody is there, or gone. At the root itself a word such as `busy` may be
    of many: only the broker's connection counts there."""
    leaf = levels[-1].casefold()
    payload = strip(message.payload)
    try:
        if payload[:1] == b"{":
            return leaf != "mqtt" and bool(words_of(read_object(payload), leaf))
        text = read_text(payload).strip('"')
    except Unread:
        return False
    if leaf in DECLARED or (leaf == "status" and len(levels) > 2):
        return read_status_word(text, leaf in SWITCHES) is not None
    return text.casefold() in _CONNECTED


def places_below(agent: str, levels: list[str], otherwise: tuple[Place, Place]) -> tuple[Place, Place]:
    """Places of an object's and of a bare value's topic; `levels`: those below the agent's own, `otherwise`: where somebody has
    a name with a number there."""
    below = list(levels)
    while len(below) > 1 and is_role(below[-1]):
        below.pop()
    names = [
        is_numbered(level) and is_name(level) and not _is_part(below[i - 1] if i else "", level)
        for i, level in enumerate(below)
    ]
    return (
        otherwise[0] if any(names) else Place(agent, place_below(levels, bare=False), True, lodges=True),
        otherwise[1] if any(names[:-1]) else Place(agent, place_below(levels, bare=True), True, lodges=True),
    )


def _is_part(before: str, level: str) -> bool:
    """Whether a level names one of several alike: `tool0`, and what stands behind the like of `network`."""
    return before.casefold() in _BEFORE_PARTS or _PARTS.fullmatch(level) is not None
