"""Requests and replies that are told to belong together by their topics or their order alone."""

from collections import deque
from collections.abc import Hashable
from typing import NamedTuple

from mqtt.reading.exchange import Exchange
from mqtt.reading.generic_topics import is_passing, levels_of

MOST_TOPICS = 10_000
MOST_AWAITED = 100
"""Requests without a correlation, of one topic."""
_ASKS = {"request": True, "requests": True, "req": True, "response": False, "responses": False, "res": False, "resp": False,
         "reply": False, "replies": False}  # fmt: skip
_OF_ONE = frozenset(("request", "req", "response", "resp", "reply"))
"""Those that stand for one at a time where no id does."""


class Pair(NamedTuple):
    """What a topic tells: `key` names both halves, `levels` are those that may say who is asked; `id` "": there is none."""

    key: tuple[str, ...]
    asks: bool
    id: str
    levels: list[str]


def pair_of(topic: bytes) -> Pair | None:
    """Of `…/request/<id>` and `…/response/<id>`, whose id is nowhere else, and of `…/request` and `…/response`."""
    if b"re" not in topic:
        return None
    levels = levels_of(topic)
    if len(levels) > 2 and levels[-2] in _ASKS and (levels[-1].isdecimal() or is_passing(levels[-1])):
        rest, id_ = levels[:-2], levels[-1]
        return Pair(("at", *rest, id_), _ASKS[levels[-2]], id_, rest)
    words = [one for one in levels if one in _OF_ONE]
    if len(words) != 1 or len(levels) < 2:
        return None
    rest = [one for one in levels if one not in _OF_ONE]
    return Pair(("pair", *rest), _ASKS[words[0]], "", rest)


def counterparts(topic: bytes) -> list[bytes]:
    """Topics on which the other half of such a pair may come."""
    mine = pair_of(topic)
    levels = topic.split(b"/")
    if mine is None:
        return []
    found = []
    for place, level in enumerate(levels):
        if level.decode(errors="replace") in _ASKS:
            for word in _ASKS:
                other = b"/".join((*levels[:place], word.encode(), *levels[place + 1 :]))
                theirs = pair_of(other)
                if theirs is not None and theirs.key == mine.key and theirs.asks != mine.asks:
                    found.append(other)
    return found


class Awaited:
    """Requests of MQTT 5 that name a response topic and no correlation: replies come there in their order. Bounded."""

    def __init__(self) -> None:
        self.topics: dict[bytes, deque[int]] = {}  # response topic -> requests, the oldest first
        self._asked = 0

    def next(self, topic: bytes) -> Hashable:
        """A key for one more request whose reply comes to this topic."""
        if len(self.topics) >= MOST_TOPICS:
            self.topics.clear()
        self._asked += 1
        self.topics.setdefault(topic, deque(maxlen=MOST_AWAITED)).append(self._asked)
        return "next", topic, self._asked

    def first(self, topic: bytes, exchange: Exchange) -> Hashable | None:
        """The key of the oldest that still waits for a reply on this topic."""
        numbers = self.topics.get(topic, deque())
        while numbers:
            key = "next", topic, numbers.popleft()
            if exchange.waiting(key) is not None:
                return key
        self.topics.pop(topic, None)
        return None
