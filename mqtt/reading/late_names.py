"""Topics that were read by a guess, until somebody declared what they hold: what was recorded of them so far has wrong names."""

from collections.abc import Iterable, Sequence

from models.domain.messages import Origin, RawMessage
from mqtt.reading.generic_reading import GenericPlan
from mqtt.reading.generic_topics import levels_of
from mqtt.reading.other_topics import NobodyPlan
from mqtt.reading.plan import Plan, Recogniser, Sink, Unread

MOST_GUESSED = 200_000
"""Topics; of further ones nobody notices that their names come late."""


class LateNames:
    """One thread. `since_us`: the first arrival of all that was read by a guess and has a name now; 0: there is none."""

    def __init__(self, sink: Sink, recognisers: Iterable[Recogniser]) -> None:
        self.since_us = 0
        self._sink = sink
        self._depending = [one for one in recognisers if one.uses_declarations]
        self._guessed: dict[bytes, int] = {}  # topic -> its first arrival
        self._left: set[bytes] = set()  # by whoever had declared them: to guess is right there

    def guessed(self, topic: bytes, received_us: int) -> None:
        """The first message of a topic is read, and nothing that was declared says how."""
        if len(self._guessed) < MOST_GUESSED and topic not in self._left:
            self._guessed.setdefault(topic, received_us)

    def declared(self, topics: Iterable[bytes]) -> None:
        """Something else is declared of these now."""
        for topic in topics:
            if self._sink.declared.of(topic) is not None:
                self._found(topic)
            elif len(self._left) < MOST_GUESSED:
                self._left.add(topic)

    def outdated(self, plans: Iterable[tuple[bytes, Plan]]) -> None:
        """With what was declared, others may claim these topics, or say that they are another's."""
        for topic, plan in plans:
            if topic in self._guessed and self._reads_otherwise(levels_of(topic), topic, plan):
                self._found(topic)

    def take(self) -> int:
        """`since_us`, for the last time."""
        found, self.since_us = self.since_us, 0
        return found

    def _found(self, topic: bytes) -> None:
        first_us = self._guessed.pop(topic, 0)
        if first_us:
            self.since_us = min(self.since_us or first_us, first_us)

    def _reads_otherwise(self, levels: Sequence[str], topic: bytes, plan: Plan) -> bool:
        levels = [*levels]
        if type(plan) not in (GenericPlan, NobodyPlan):
            home = self._sink.declarations.home_of(levels)
            return home is not None and bool(plan.agent) and self._sink.names.agents[plan.agent] != home[1]
        found: Plan | None = None
        try:
            for one in self._depending:
                found = one.claim(plan.topic, levels, _empty(topic), self._sink)
                if found is not None:
                    break
        except Unread:  # there is no room for whoever it is
            return False
        if isinstance(plan, GenericPlan) and type(found) is GenericPlan:
            return plan.places != found.places
        return type(found) is not type(plan)


def _empty(topic: bytes) -> RawMessage:
    return RawMessage(topic, b"", 0, False, False, 0, None, 0, Origin.REPLAY, 0)
