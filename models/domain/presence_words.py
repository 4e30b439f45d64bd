"""Words for how an agent is. `Presence` says whether it is there, `Condition` how well, `Cause` why we say so."""

from enum import IntEnum, StrEnum


class Presence(IntEnum):
    """Ordered so that a larger value is more worth looking at. Values are stored: add, never renumber."""

    ONLINE = 1
    STOPPED = 2  # said goodbye
    UNKNOWN = 3  # we cannot tell: not connected, not recording, or nothing live heard yet
    LATE = 4
    OFFLINE = 5


class Condition(IntEnum):
    OK = 0
    STARTING = 1
    ASLEEP = 2
    DEGRADED = 3


class Cause(StrEnum):
    """Stored code of the reason; the window turns it into words."""

    HEARD = "heard"  # a live message arrived
    STATUS = "status"  # the agent's own status word
    WILL = "will"  # the broker published its will
    GOODBYE = "goodbye"  # it said that it stops
    SILENCE = "silence"  # nothing for longer than its interval allows
    REPLAYED = "replayed"  # known only from a retained message
    BROKER = "broker"  # the broker tells of its connection
    LINK_LOST = "link-lost"  # our own connection to the broker is gone
    NOT_RECORDING = "not-recording"  # no recorder ran
    NOT_HEARD = "not-heard"  # nothing live since we connected


CONDITION_WORDS: dict[str, Condition] = {
    "degraded": Condition.DEGRADED, "alert": Condition.DEGRADED, "warning": Condition.DEGRADED,
    "error": Condition.DEGRADED, "unhealthy": Condition.DEGRADED,
    "sleeping": Condition.ASLEEP, "asleep": Condition.ASLEEP, "standby": Condition.ASLEEP, "paused": Condition.ASLEEP,
    "hibernating": Condition.ASLEEP, "initializing": Condition.STARTING, "initialising": Condition.STARTING,
    "init": Condition.STARTING, "starting": Condition.STARTING, "booting": Condition.STARTING,
}  # fmt: skip
ONLINE_WORDS = frozenset(
    "online up ready running alive connected available healthy ok started active idle busy working waiting thinking"
    " processing executing operational reachable".split()
)
STOPPED_WORDS = frozenset("stopped exited terminated shutdown".split())
OFFLINE_WORDS = frozenset("offline down lost disconnected dead unavailable unreachable gone crashed".split())
SWITCH_WORDS = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
"""Count as presence only on availability-like topics: a plug's ON is not presence."""


def read_status_word(word: str, switches: bool = False) -> tuple[Presence, Condition] | None:
    """Presence and condition that a status word declares, case-blind; `None` when it is no such word.

    `switches` admits on/off/true/false/1/0, for topics that speak of nothing but availability.
    """
    word = word.strip().strip("\0").casefold()
    if word in ONLINE_WORDS:
        return Presence.ONLINE, Condition.OK
    if word in CONDITION_WORDS:
        return Presence.ONLINE, CONDITION_WORDS[word]
    if word in STOPPED_WORDS:
        return Presence.STOPPED, Condition.OK
    if word in OFFLINE_WORDS:
        return Presence.OFFLINE, Condition.OK
    if switches and word in SWITCH_WORDS:
        return (Presence.ONLINE if SWITCH_WORDS[word] else Presence.OFFLINE), Condition.OK
    return None
