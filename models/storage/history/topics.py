"""All topics with how much came on each, or those of them that changed; and those that told presence."""

from collections.abc import Iterator

import numpy as np

from models.domain.messages import Kind
from models.domain.queries import CancelToken, TopicsRequest, TopicsResult
from models.storage.engine import open_reader
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import fetch
from models.storage.store_errors import problems_of
from models.storage.workspace import Workspace
from models.storage.writing.topic_totals import REVISION

_CHANGED = """SELECT id, name, messages, payload_bytes, last_us, agent_id FROM topic_total JOIN topic ON topic.id = topic_id
    WHERE revision > ? ORDER BY id"""
_NAMES_ALONE = "SELECT id, name, 0, 0, 0, 0 FROM topic WHERE ? = 0 ORDER BY id"
_FIRST_SCHEMA = 2
_OF_KIND = """SELECT name FROM topic_total JOIN topic ON topic.id = topic_id WHERE kind = ? ORDER BY last_us DESC, id DESC
    LIMIT ?"""


def answer_topics(view: StoreView, request: TopicsRequest, token: CancelToken) -> Iterator[TopicsResult]:
    """A workspace that no recorder of this version has opened yet has names without totals."""
    token.check()
    counted = int(view.catalogue.pragma("user_version")) >= _FIRST_SCHEMA
    revision = int(fetch(view.catalogue, REVISION)[0][0])
    since = request.since if request.since <= revision else 0  # a catalogue that was made anew counts anew
    rows = fetch(view.catalogue, _CHANGED if counted else _NAMES_ALONE, (since,))
    ids, names, *columns = zip(*rows, strict=True) if rows else ((),) * 6
    topic, *totals = (np.array(column, np.int64) for column in (ids, *columns))
    yield TopicsResult(request, revision, since == 0, topic, list(names), *totals)


def presence_topics(workspace: Workspace, most: int) -> list[bytes]:
    """Those whose newest message told who is there, the last heard first. Raises `EnvironmentProblem`."""
    with problems_of(workspace.catalogue):
        catalogue = open_reader(workspace.catalogue)
        try:
            return [bytes(name) for (name,) in fetch(catalogue, _OF_KIND, (int(Kind.STATUS), most))]
        finally:
            catalogue.close()
