"""What may belong to a message: by marks nearby, by recorded interactions from afar; the same from open and sealed files."""

import shutil
from pathlib import Path

import pytest

from models.domain.messages import Properties
from models.domain.paired import Marks
from models.domain.queries import Cancelled, CancelToken, RelatedRequest, RelatedResult, RowKey
from models.domain.records import Interaction, Outcome
from models.storage.history.reader import HistoryReader
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, raw
from tests.unit.storage.test_sealing import seal_all

S = 1_000_000
MINUTE = 60 * S


@pytest.fixture(params=["plain", "sealed"], scope="module")
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A request at T0 in the first file; most of its kin near it, its recorded reply half an hour later in the second."""
    root: Path = tmp_path_factory.mktemp("related")
    build = HistoryBuilder(Workspace.at(root / "plain"))
    first, second = build.segment(), build.segment()
    first.write(build.messages([
        raw("noise", b"17", T0 - 2 * MINUTE),
        raw("ask/it", b'{"id":"q-17"}', T0, Properties(response_topic="to/me", correlation=b"\x01\xff")),
        raw("noise", b'{"id":"q-18"}', T0 + 1),
        raw("to/me", b"by its topic", T0 + 2),
        raw("else", b"tells of q-17 too", T0 + 3),
        raw("else", b"by correlation", T0 + 4, Properties(correlation=b"\x01\xff")),
        raw("other", b"asks for replies there", T0 + 5, Properties(response_topic="ask/it")),
        raw("else", b"q-17 much later", T0 + 5 * MINUTE),
    ]))  # fmt: skip
    batch = build.messages([raw("far/reply", b"3", T0 + 30 * MINUTE), raw("noise", b"x", T0 + 30 * MINUTE)])
    a, b = build.agent("a"), build.agent("b")
    batch.interactions.append(Interaction(0, T0, a, b, "fetch", "q-17", 30 * MINUTE, Outcome.OK))
    second.write(batch)
    for one in (first, second):
        one.close()
    build.close()
    if request.param == "plain":
        return build.workspace
    shutil.copytree(build.workspace.root, root / "sealed")
    sealed = Workspace.at(root / "sealed")
    assert seal_all(sealed) == 2
    return sealed


MARKS = Marks(frozenset({"q-17"}), frozenset({b"\x01\xff"}), frozenset({b"to/me", b"nowhere"}))
ASKED = RelatedRequest(RowKey(T0, 1, 2), b"ask/it", MARKS, MINUTE)


def ask(workspace: Workspace, request: RelatedRequest) -> RelatedResult:
    reader = HistoryReader(workspace)
    (found,) = reader.answer(request, CancelToken())
    reader.close()
    assert isinstance(found, RelatedResult)
    return found


def test_what_has_a_mark_in_common_nearby_and_what_was_recorded_far_away(workspace: Workspace) -> None:
    found = ask(workspace, ASKED)
    assert [(row.key.segment, row.key.seq) for row in found.rows] == [(1, 2), (1, 4), (1, 5), (1, 6), (1, 7), (2, 1)]
    assert found.found == 5
    assert found.rows[0].properties == Properties(response_topic="to/me", correlation=b"\x01\xff")
    assert found.rows[-1].payload == b"3"
    wider = ask(workspace, RelatedRequest(ASKED.key, ASKED.topic, MARKS, 10 * MINUTE))
    assert (1, 8) in [row.key[1:] for row in wider.rows]


def test_a_recorded_reply_leads_to_its_request(workspace: Workspace) -> None:
    request = RelatedRequest(RowKey(T0 + 30 * MINUTE, 2, 1), b"far/reply", Marks(), MINUTE)
    assert [row.key[1:] for row in ask(workspace, request).rows] == [(1, 2), (2, 1)]
    beside = RelatedRequest(RowKey(T0 + 30 * MINUTE, 2, 2), b"noise", Marks(), MINUTE)
    assert [row.key[1:] for row in ask(workspace, beside).rows] == [(2, 2)]


def test_of_too_many_the_nearest(workspace: Workspace) -> None:
    found = ask(workspace, RelatedRequest(ASKED.key, ASKED.topic, MARKS, MINUTE, limit=3))
    assert [row.key[1:] for row in found.rows] == [(1, 2), (1, 4), (1, 5), (2, 1)]
    assert found.found == 5


def test_it_stops_where_nobody_waits(workspace: Workspace) -> None:
    reader = HistoryReader(workspace)
    with pytest.raises(Cancelled):
        list(reader.answer(ASKED, CancelToken(cancelled=True)))
    reader.close()
