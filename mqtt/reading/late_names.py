"""Topics that were read by a guess, until somebody declared what they hold: what was recorded of them so far has wrong names."""

from collections.abc import Iterable

from models.domain.messages import Origin, RawMessage
from models.domain.problems import EnvironmentProblem
from mqtt.reading.generic_reading import GenericPlan
from mqtt.reading.generic_topics import levels_of
from mqtt.reading.other_topics import NobodyPlan
from mqtt.reading.plan import Plan, Recogniser, Sink, Unread

MOST_GUESSED = 200_000
"""Topics; of further ones nobody notices that their names come late."""


class LateNames:
    """One thread."""

    def __init__(self, sink: Sink, recognisers: Iterable[Recogniser]) -> None:
        self._sink = sink
        self._depending = [one for one in recognisers if one.uses_declarations]
        self._first_new = len(sink.names.topics)  # those before it somebody else has read
        self._guessed: set[bytes] = set()
        self._known: set[bytes] = set()  # declared at some time: where that was taken back, to guess is right
        self._found: list[int] = []

    def guessed(self, topic: bytes) -> None:
        """The first message of a topic is read, and nothing that was declared says how."""
        if len(self._guessed) < MOST_GUESSED and topic not in self._known:
            self._guessed.add(topic)

    def declared(self, topics: set[bytes], *, before: bool) -> None:
        """Something else is declared of these now. `before`: it was so when what is stored of them was read."""
        for topic in topics - self._known:
            if len(self._known) < MOST_GUESSED:
                self._known.add(topic)
            if not before and (topic in self._guessed or self._is_of_before(topic)):
                self._note(topic)

    def outdated(self, plans: Iterable[tuple[bytes, Plan]]) -> None:
        """With what was declared, others may claim these topics, or say that they are another's."""
        for topic, plan in plans:
            if topic in self._guessed and self._reads_otherwise(levels_of(topic), topic, plan):
                self._note(topic)

    def take(self) -> list[int]:
        """Ids of topics that were read by a guess and have names now: each once."""
        found, self._found = self._found, []
        return found

    def _note(self, topic: bytes) -> None:
        self._guessed.discard(topic)
        self._found.append(self._sink.names.topic(topic))

    def _is_of_before(self, topic: bytes) -> bool:
        """Did somebody read it in an earlier run, or at another broker, where nobody had declared it?"""
        try:
            return 0 < self._sink.names.topics.known(topic) < self._first_new
        except EnvironmentProblem:  # the catalogue cannot be asked just now: then the name counts from now on
            return False

    def _reads_otherwise(self, levels: list[str], topic: bytes, plan: Plan) -> bool:
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
