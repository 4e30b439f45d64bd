"""Who talks to whom, held to a plain count; from open and sealed files, and as rows come."""

import math
import random
import shutil

import pytest

from models.domain.flow_queries import REPLY_QUANTILES, FlowRequest, TalkRequest
from models.domain.queries import CancelToken
from models.domain.records import Interaction, Outcome
from models.storage.catalogue import Agent
from models.storage.history.reader import HistoryReader
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, raw
from tests.unit.storage.test_sealing import seal_all

S = 1_000_000
AGENTS = 5


def some(build, chance, segments, rows):
    """Random talk; what a plain list knows of it."""
    agents = [build.agent(f"agent-{number}") for number in range(AGENTS)]
    known = []
    at_us = T0
    for _ in range(segments):
        segment = build.segment()
        for _ in range(rows):
            at_us += chance.randrange(S)
            batch = build.messages([raw("talk", b"{}", at_us)])
            outcome = chance.choice([Outcome.OK, Outcome.OK, Outcome.ERROR, Outcome.TIMEOUT])
            reply = (
                chance.randrange(5 * S) if outcome in (Outcome.OK, Outcome.ERROR) and chance.random() < 0.8 else None
            )
            one = Interaction(
                0, at_us - (reply or 0), chance.choice(agents), chance.choice(agents), "ask", "", reply, outcome
            )
            batch.interactions = [one]
            segment.write(batch)
            known.append((at_us, one))
        segment.close()
    return agents, known


@pytest.fixture(params=["plain", "sealed"], scope="module")
def store(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("flow")
    build = HistoryBuilder(Workspace.at(root / "plain"))
    agents, known = some(build, random.Random(3), 3, 60)
    with build.database.bind_ctx([Agent]):
        for agent, own, given in (
            (agents[0], "b", ""),
            (agents[2], "", "b"),
            (agents[3], "b", "a"),
            (agents[4], "", ""),
        ):
            Agent.update(own_group=own, given_group=given).where(Agent.id == agent).execute()
    build.close()
    workspace = build.workspace
    if request.param == "sealed":
        shutil.copytree(workspace.root, root / "sealed")
        workspace = Workspace.at(root / "sealed")
        assert seal_all(workspace) == 3
    return workspace, agents, known


def ask(workspace, request, reader=None):
    reader = reader or HistoryReader(workspace)
    *_, found = reader.answer(request, CancelToken())
    return found


def plain(known, since_us, until_us):
    """{(sender, receiver): (count, finished, failed, quantiles, last)}"""
    pairs = {}
    for at_us, one in known:
        if since_us <= at_us < (until_us or math.inf):
            pairs.setdefault((one.sender, one.receiver), []).append((at_us, one))
    return {
        pair: (
            len(found),
            sum(one.outcome is not Outcome.OK or one.reply_us is not None for _, one in found),
            sum(one.outcome is not Outcome.OK for _, one in found),
            quantiles([one.reply_us for _, one in found if one.reply_us is not None]),
            max(at_us for at_us, _ in found),
        )
        for pair, found in pairs.items()
    }


def quantiles(replies):
    ranked = sorted(replies)
    return tuple(ranked[max(math.ceil(share * len(ranked)), 1) - 1] for share in REPLY_QUANTILES) if ranked else None


def told(result):
    return {
        (int(sender), int(receiver)): (
            int(count), int(finished), int(failed), None if math.isnan(reply[0]) else tuple(int(one) for one in reply), int(last),
        )
        for sender, receiver, count, finished, failed, reply, last in zip(
            result.sender, result.receiver, result.count, result.finished, result.failed, result.reply_us, result.last_us,
            strict=True,
        )
    }  # fmt: skip


def test_sums_are_those_of_a_plain_count(store):
    workspace, _, known = store
    last = known[-1][0]
    for since_us, until_us in ((0, 0), (T0, last), (T0 + 20 * S, T0 + 60 * S), (last + 1, 0)):
        found = ask(workspace, FlowRequest(since_us, until_us))
        assert found.whole
        assert told(found) == plain(known, since_us, until_us)


def test_agents_of_a_group_count_as_one(store):
    """Counts add up; quantiles are those of all replies together."""
    workspace, agents, known = store
    found = ask(workspace, FlowRequest(T0 + 10 * S, 0, by_group=True))
    assert [(one.name, one.members) for one in found.groups] == [("a", (agents[3],)), ("b", (agents[0], agents[2]))]
    node = {agents[0]: -2, agents[2]: -2, agents[3]: -1}
    grouped = [
        (at_us, one._replace(sender=node.get(one.sender, one.sender), receiver=node.get(one.receiver, one.receiver)))
        for at_us, one in known
    ]
    assert told(found) == plain(grouped, T0 + 10 * S, 0)


def test_one_by_one_each_once_over_all_pages(store):
    workspace, agents, known = store
    some_agents = tuple(agents[:3])
    expected = [
        (at_us, one) for at_us, one in reversed(known) if one.sender in some_agents and one.receiver in some_agents
    ]
    rows, before = [], None
    while True:
        page = ask(workspace, TalkRequest(some_agents, limit=7, before=before))
        rows += page.rows
        before = page.reach.searched
        if before is None:
            break
    assert [
        (one.key.received_us, one.time_us, one.sender, one.receiver, one.reply_us, one.outcome) for one in rows
    ] == [(at_us, one.time_us, one.sender, one.receiver, one.reply_us, one.outcome) for at_us, one in expected]


@pytest.mark.parametrize("chosen", ["direction", "group", "ends"])
def test_one_by_one_of_some_in_a_stretch(store, chosen):
    workspace, agents, known = store
    a, b, c, d, _ = agents
    since_us, until_us = T0 + 10 * S, T0 + 70 * S
    filters, fits = {
        "direction": (((a, b), (a,), (b,)), lambda one: (one.sender, one.receiver) == (a, b)),
        "group": ((tuple(agents), (a, c), (b, d)), lambda one: one.sender in (a, c) and one.receiver in (b, d)),
        "ends": (((a, b, c), (), (), (a,)), lambda one: a in (one.sender, one.receiver) and {one.sender, one.receiver} <= {a, b, c}),
    }[chosen]  # fmt: skip
    found = ask(workspace, TalkRequest(*filters, since_us=since_us, until_us=until_us))
    expected = [at_us for at_us, one in reversed(known) if fits(one) and since_us <= at_us < until_us]
    assert expected
    assert [one.key.received_us for one in found.rows] == expected


def test_what_comes_is_added_to_what_was_read(tmp_path):
    build = HistoryBuilder(Workspace.at(tmp_path))
    a, b = build.agent("a"), build.agent("b")
    segment = build.segment()
    reader = HistoryReader(build.workspace)
    for number in range(3):
        batch = build.messages([raw("talk", b"{}", T0 + number)])
        batch.interactions = [Interaction(0, T0, a, b, "ask", "", 10, Outcome.OK)]
        segment.write(batch)
        assert told(ask(build.workspace, FlowRequest(), reader))[a, b][0] == number + 1
    reader.close()
    segment.close()
    build.close()
