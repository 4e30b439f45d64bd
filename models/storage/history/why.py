"""Why an agent and its series are there: who read them, out of which topics."""

from models.domain.messages import RawMessage
from models.domain.names import SeriesKind
from models.domain.origins import AgentOrigin, SeriesOrigin, TopicOrigin
from models.domain.presence_words import Presence
from models.domain.problems import trouble
from models.domain.queries import CancelToken, MessageRequest
from models.storage.history.message_lists import answer_messages
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import fetch
from models.storage.workspace import Workspace
from models.storage.writing.remembered import read_remembered

MOST_TOPICS = 1_000
LOOKED_AT = 1_000
"""The newest messages of an agent, which show what comes of what."""
_LONGEST = 65_536
_REMEMBERED_SCHEMA = 6


def agent_origin(workspace: Workspace, agent: str) -> AgentOrigin:
    """As of the catalogue, seconds behind at most. Raises `EnvironmentProblem` agent.unknown and those of opening a workspace."""
    view = StoreView(workspace)
    try:
        view.refresh()
        known = fetch(view.catalogue, "select id, own_name, convention from agent where name = ?", (agent,))
        if not known:
            raise trouble("agent.unknown", agent=agent)
        id_, own_name, convention = known[0]
        now = fetch(
            view.catalogue,
            "select presence, cause, since_us, first_seen_us, last_seen_us from agent_now where agent_id = ?",
            (id_,),
        )
        presence, cause, since_us, first_us, last_us = now[0] if now else (Presence.UNKNOWN, "", 0, 0, 0)
        series = fetch(
            view.catalogue,
            "select metric, labels, unit, kind, source from series where agent_id = ? order by metric, labels",
            (id_,),
        )
        newest = _newest(view, id_)
        return AgentOrigin(
            agent, own_name, convention, Presence(presence), cause, since_us, first_us, last_us,
            [SeriesOrigin(metric, labels, unit, SeriesKind(kind), source) for metric, labels, unit, kind, source in series],
            _topics(view, id_, {one.topic for one in newest}), newest, _declared(view),
        )  # fmt: skip
    finally:
        view.close()


def declared_messages(workspace: Workspace, most: int) -> list[RawMessage]:
    """The newest `most` messages that others cannot be read without, oldest first; none where nothing is stored yet."""
    if not workspace.catalogue.exists():
        return []
    view = StoreView(workspace)
    try:
        view.refresh()
        return _declared(view)[-most:]
    finally:
        view.close()


def _topics(view: StoreView, agent: int, met: set[bytes]) -> list[TopicOrigin]:
    columns = "select name, messages, last_us from topic_total join topic on topic.id = topic_id"
    rows = fetch(view.catalogue, f"{columns} where agent_id = ? order by messages desc limit {MOST_TOPICS}", (agent,))
    for name in sorted(met.difference(bytes(row[0]) for row in rows)):
        rows += fetch(view.catalogue, f"{columns} where name = ?", (name,))
    return [TopicOrigin(bytes(name), messages, last_us) for name, messages, last_us in rows]


def _newest(view: StoreView, agent: int) -> list[RawMessage]:
    request = MessageRequest(agent=agent, limit=LOOKED_AT, payload_limit=_LONGEST)
    (found,) = answer_messages(view, request, CancelToken())
    return [
        RawMessage(
            one.topic, one.payload, one.qos, one.retain, False, 0, one.properties, one.key.received_us, one.origin, 0
        )
        for one in reversed(found.rows)
        if len(one.payload) == one.size
    ]  # fmt: skip


def _declared(view: StoreView) -> list[RawMessage]:
    if int(view.catalogue.pragma("user_version")) < _REMEMBERED_SCHEMA:
        return []
    return read_remembered(view.catalogue)
