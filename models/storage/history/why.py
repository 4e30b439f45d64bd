"""Why an agent and its series are there: who read them, out of which topics."""

from typing import NamedTuple

from models.domain.names import SeriesKind
from models.domain.presence_words import Presence
from models.domain.problems import trouble
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import fetch
from models.storage.workspace import Workspace

MOST_TOPICS = 1_000


class SeriesOrigin(NamedTuple):
    """`source`: the convention that made it; `generic`: home-made payloads, `rule`: a rule of the user's."""

    metric: str
    labels: str
    unit: str
    kind: SeriesKind
    source: str


class TopicOrigin(NamedTuple):
    """A topic whose newest message was the agent's."""

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
    series: list[SeriesOrigin]
    topics: list[TopicOrigin]


def agent_origin(workspace: Workspace, agent: str) -> AgentOrigin:
    """As of the catalogue, seconds behind at most. Raises `EnvironmentProblem` agent.unknown and those of opening a workspace."""
    view = StoreView(workspace)
    try:
        view.refresh()
        known = fetch(view.catalogue, "select id, own_name, convention from agent where name = ?", (agent,))
        if not known:
            raise trouble("agent.unknown", agent=agent)
        id_, own_name, convention = known[0]
        now = fetch(view.catalogue, "select presence, cause, since_us from agent_now where agent_id = ?", (id_,))
        presence, cause, since_us = now[0] if now else (Presence.UNKNOWN, "", 0)
        series = fetch(
            view.catalogue,
            "select metric, labels, unit, kind, source from series where agent_id = ? order by metric, labels",
            (id_,),
        )
        topics = fetch(
            view.catalogue,
            f"""select name, messages, last_us from topic_total join topic on topic.id = topic_id where agent_id = ?
                order by messages desc limit {MOST_TOPICS}""",
            (id_,),
        )
        return AgentOrigin(
            agent, own_name, convention, Presence(presence), cause, since_us,
            [SeriesOrigin(metric, labels, unit, SeriesKind(kind), source) for metric, labels, unit, kind, source in series],
            [TopicOrigin(bytes(name), messages, last_us) for name, messages, last_us in topics],
        )  # fmt: skip
    finally:
        view.close()
