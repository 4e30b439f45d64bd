"""A request with everything that was sent about it. Pure data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from models.domain.records import Outcome


class Part(StrEnum):
    """What one message is in it."""

    REQUEST = "request"
    AGAIN = "again"  # the same request, sent once more
    SIGN = "sign"  # whoever was asked is at it: progress, a part of a stream
    ANSWER = "answer"
    WITHDRAWN = "withdrawn"  # the request wants no reply any more


class Step(NamedTuple):
    """`message` is the place in the list that was read. `late`: the wait was over by then."""

    message: int
    part: Part
    outcome: Outcome = Outcome.OK
    late: bool = False


@dataclass(frozen=True, slots=True)
class Paired:
    """`sender`, `receiver`: agents by name, "" where nothing tells. `sure`: the request wants a reply for certain. `until_us`: how
    long a reply is waited for. Without `steps` it is a reply whose request is not there."""

    sender: str
    receiver: str
    kind: str
    id: str
    sure: bool
    until_us: int
    steps: tuple[Step, ...]

    @property
    def answers(self) -> list[Step]:
        return [step for step in self.steps if step.part is Part.ANSWER]


LONELY = Paired("", "", "", "", False, 0, ())
"""A reply whose request is not there."""


class Marks(NamedTuple):
    """What messages that belong to one have in common with it: a text in their payload or their properties, correlation data, or
    a topic."""

    texts: frozenset[str] = frozenset()
    correlations: frozenset[bytes] = frozenset()
    topics: frozenset[bytes] = frozenset()

    def with_(self, other: "Marks") -> "Marks":
        texts, correlations, topics = other
        return Marks(self.texts | texts, self.correlations | correlations, self.topics | topics)
