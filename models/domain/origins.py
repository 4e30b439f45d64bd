"""Why something is there: who read it, out of which topics, by which rules. What `why` and the window tell."""

from dataclasses import dataclass, field
from typing import NamedTuple

from models.domain.messages import RawMessage
from models.domain.names import SeriesKind
from models.domain.presence_words import Presence
from models.domain.problems import trouble
from models.domain.rules import Rules


class SeriesOrigin(NamedTuple):
    """`source`: the convention that made it; `generic`: home-made payloads, `rule`: a rule of the user's."""

    metric: str
    labels: str
    unit: str
    kind: SeriesKind
    source: str

    @property
    def name(self) -> str:
        """Metric and labels."""
        return f"{self.metric} {self.labels}" if self.labels else self.metric


class TopicOrigin(NamedTuple):
    """A topic whose newest message was the agent's, or that one of its newest messages came on. `messages` and `last_us` are of
    all that came there."""

    topic: bytes
    messages: int
    last_us: int


class AgentOrigin(NamedTuple):
    """`convention` "": it never declared itself."""

    agent: str
    own_name: str
    convention: str
    presence: Presence
    cause: str
    since_us: int
    first_us: int
    last_us: int
    series: list[SeriesOrigin]
    topics: list[TopicOrigin]
    newest: list[RawMessage]
    """Of its messages, oldest first."""
    declared: list[RawMessage]
    """What messages cannot be read without."""


@dataclass(slots=True)
class SeriesSource:
    """`rules`: numbers as `rules list` counts, of those for numbers whose pattern fits; empty where none made it."""

    topics: list[bytes] = field(default_factory=list)
    rules: list[int] = field(default_factory=list)


class AgentWhy(NamedTuple):
    """`sources`: of each series that its newest messages hold, by its name."""

    origin: AgentOrigin
    sources: dict[str, SeriesSource]
    known: Rules
    """In force."""

    def source(self, one: SeriesOrigin) -> SeriesSource:
        """Nothing is known of one whose messages are gone, or older than those that were looked at."""
        return self.sources.get(one.name) or SeriesSource()

    def only(self, metric: str) -> "AgentWhy":
        """Of this metric alone, and the topics it comes from where they are known. Raises `EnvironmentProblem` series.unknown."""
        origin = self.origin
        chosen = [one for one in origin.series if one.metric == metric]
        if not chosen:
            raise trouble("series.unknown", agent=origin.agent, series=metric)
        met = {topic for one in chosen for topic in self.source(one).topics}
        topics = [one for one in origin.topics if one.topic in met or not met]
        return AgentWhy(origin._replace(series=chosen, topics=topics), self.sources, self.known)


class RowOrigin(NamedTuple):
    """What a message was read as: the metric of a figure (then `value` is a number in `unit`), or `log`, `task`, `presence`,
    `unreadable` (then it is a text, of the last the reason). `source` as of a series; `rules` as of `SeriesSource`."""

    agent: str
    what: str
    value: float | str
    unit: str
    source: str
    rules: list[int]


class MessageWhy(NamedTuple):
    """`source`: who claims its topic; "": nobody reads it. `rules`: those whose pattern fits. `ignored`: one says that nothing is
    read of it."""

    topic: bytes
    source: str
    rules: list[int]
    ignored: bool
    rows: list[RowOrigin]
    known: Rules
    """In force."""
