"""Lists from sealed segments are those from open ones, whatever is asked for."""

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.domain.messages import Kind, Properties
from models.domain.queries import CancelToken, LogRequest, LogResult, MessageRequest, MessageResult, RowKey
from models.domain.records import Level, LogRow
from models.domain.search.terms import All, Anywhere, Comparison, LevelIs
from models.storage.history import message_lists, row_pages
from models.storage.history.log_lists import answer_logs
from models.storage.history.log_minutes import log_minutes
from models.storage.history.message_lists import answer_messages
from models.storage.history.store_view import StoreView
from models.storage.sealing.log_index import MARK, MINUTE_US
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, raw
from tests.unit.storage.test_sealing import seal_all

WORDS = (
    "connection refused", "Connection", "re-connected", "timeout after 30s", "TIMEOUT", "żółw", "ŻÓŁW", "straße", "STRASSE",
    "ſilent", "273 \u212a", "İstanbul", "a", "b", "0", "7", "id=550e8400-e29b", "x" * 230, f"odd{MARK}mark", "日本語ログ", "\n",
    "ﬁn", "'quoted' \"text\"", "NEAR(", "a*", "--", "%", "_", "\\", "nul\0nul", "{json: true}", "3.14", "ümlaut", "\ufffd",
)  # fmt: skip
NEEDLES = (
    "", "", "", "connection", "onnect", "refused", "connection refused", "n refus", "time", "TIMEOUT AFTER", "30s", "żół", "SS",
    "ß", "s", "k", "i̇", "550e8400", "x" * 210, "mark", "本語", "fi", '"text"', "near(", "a*", "--", "%", "_", "\\", "nul\0",
    "true}", "3.1", "ü", MARK, "a1", "l3", "\n", "nowhere", "a b", "-e29", "\ufffd", "e29b", "after 30s", "refused ",
)  # fmt: skip
AGENTS = 6
ALL_LEVELS = list(Level)


def said(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randrange(0, 5)))


def build(root: Path) -> Workspace:
    chance = random.Random(11)
    builder = HistoryBuilder(Workspace.at(root))
    agents = [builder.agent(f"agent-{n}") for n in range(AGENTS)]
    now_us = T0
    for count in (700, 500, 90, 3):
        segment = builder.segment()
        for _ in range(count // 10 + 1):
            messages = []
            for _ in range(10):
                now_us += chance.choice((1_000, 200_000, 40_000_000)) - chance.choice((0, 0, 0, 300))
                payload = said(chance).encode() + chance.choice((b"", b"\xc3", b"\xa9tail", b"\xff"))
                topic = f"{chance.choice('abc')}/{chance.choice(('x', 'x0', 'y/z', 'Ż'))}"
                properties = Properties(content_type="text/plain") if chance.random() < 0.2 else None
                messages.append(raw(topic, payload, now_us, properties))
            batch = builder.messages(messages, chance.choice(agents), Kind.LOG)
            for row in range(10):
                for _ in range(chance.choice((0, 1, 1, 2))):
                    logger, error, stack, more = (said(chance) if chance.random() < 0.3 else None for _ in range(4))
                    batch.logs.append(LogRow(
                        row, messages[row].received_us - 5, chance.choice([0, *agents[:-1]]), chance.choice(list(Level)), logger,
                        said(chance), error, stack, more,
                    ))  # fmt: skip
            segment.write(batch)
        segment.close()
    builder.close()
    return builder.workspace


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StoreView, StoreView]]:
    """The same history, as it was written and sealed."""
    folder = tmp_path_factory.mktemp("lists")
    plain = build(folder / "plain")
    shutil.copytree(plain.root, folder / "sealed")
    sealed = Workspace.at(folder / "sealed")
    assert seal_all(sealed) == 4
    found = StoreView(plain), StoreView(sealed)
    for view in found:
        view.refresh()
    yield found
    for view in found:
        view.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is not handed over before it is full, however slow the machine is."""
    monkeypatch.setattr(row_pages, "PAGE_S", 3_600)


def logs(view: StoreView, request: LogRequest) -> LogResult:
    (found,) = answer_logs(view, request, CancelToken())
    return found


def messages(view: StoreView, request: MessageRequest) -> MessageResult:
    (found,) = answer_messages(view, request, CancelToken())
    return found


def some_range(chance: random.Random) -> dict[str, int]:
    since, until = sorted(T0 + chance.randrange(0, 16_000_000_000) for _ in range(2))
    return chance.choice(({}, {}, {"since_us": since}, {"until_us": until}, {"since_us": since, "until_us": until}))


def test_log_records_are_the_same_for_every_filter(views: tuple[StoreView, StoreView]) -> None:
    plain, sealed = views
    chance = random.Random(5)
    matched = 0
    for _ in range(400):
        text, level = Anywhere(chance.choice(NEEDLES)), LevelIs(Comparison.AT_LEAST, chance.choice(list(Level)))
        more: dict[str, object] = {"query": All((text, level)), **some_range(chance)}
        more["agent"] = chance.choice((0, 0, *range(1, AGENTS + 1), 99))
        more["limit"] = chance.choice((3, 50, 10_000))
        request = LogRequest(**more)  # type: ignore[arg-type]
        for page in range(3):
            left, right = logs(plain, request), logs(sealed, request)
            assert left.rows == right.rows, (request, page)
            matched += len(left.rows)
            if len(left.rows) < request.limit:
                break
            request = LogRequest(**{**more, "before": left.rows[-1].key})  # type: ignore[arg-type]
    assert matched > 2_000


def test_what_is_new_is_counted_the_same(views: tuple[StoreView, StoreView]) -> None:
    plain, sealed = views
    for needle in NEEDLES:
        for level in (Level.TRACE, Level.ERROR):
            for after in (RowKey(T0, 1, 0), RowKey(T0, 3, 77)):
                request = LogRequest(query=All((LevelIs(Comparison.AT_LEAST, level), Anywhere(needle))), after=after)
                assert logs(plain, request).reach == logs(sealed, request).reach, request
    request = MessageRequest(text="refused", after=RowKey(T0, 2, 5))
    assert messages(plain, request).reach == messages(sealed, request).reach


def test_messages_are_the_same_for_every_filter(views: tuple[StoreView, StoreView]) -> None:
    plain, sealed = views
    chance = random.Random(6)
    matched = 0
    for _ in range(600):
        more: dict[str, object] = {"text": chance.choice(NEEDLES), **some_range(chance)}
        more["agent"] = chance.choice((0, 0, *range(1, AGENTS + 1), 99))
        more["topic"] = chance.choice((b"", b"", b"a", b"a/x", b"b/y", "c/Ż".encode(), b"none"))
        more["branch"] = bool(more["topic"]) and chance.random() < 0.5
        more["limit"] = chance.choice((3, 50, 10_000))
        more["payload_limit"] = chance.choice((7, 4096))
        more["pattern"] = chance.choice(("", "", "", "a/#", "{agent}/x", "+/Ż", "b/y/{n}z", "none/+"))
        request = MessageRequest(**more)  # type: ignore[arg-type]
        left, right = messages(plain, request), messages(sealed, request)
        assert left.rows == right.rows, request
        matched += len(left.rows)
    assert matched > 2_000


@pytest.mark.parametrize(
    ("pattern", "topics"),
    [
        ("{a}/x", {b"a/x", b"b/x", b"c/x"}), ("a/{b}0", {b"a/x0"}), ("c/#", {b"c/x", b"c/x0", b"c/y/z", "c/Ż".encode()}),
        ("b/y/+", {b"b/y/z"}), ("b/Ż", {"b/Ż".encode()}), ("a", set()),
    ],
)  # fmt: skip
def test_messages_that_a_rule_is_for(
    views: tuple[StoreView, StoreView], monkeypatch: pytest.MonkeyPatch, pattern: str, topics: set[bytes]
) -> None:
    for most in (1_000, 0):  # blocks are looked up, or all are looked through
        monkeypatch.setattr(message_lists, "_MOST_ASKED_FOR", most)
        for view in views:
            found = messages(view, MessageRequest(pattern=pattern, limit=10_000)).rows
            every = messages(view, MessageRequest(limit=10_000)).rows
            assert found == tuple(row for row in every if row.topic in topics)
            assert {row.topic for row in found} == topics


def test_minutes_are_counted_by_agent_and_level(views: tuple[StoreView, StoreView]) -> None:
    plain, sealed = views
    zero = T0 // MINUTE_US * MINUTE_US
    for agent in range(AGENTS + 1):
        for since, until in ((zero + 120 * MINUTE_US, zero + 200 * MINUTE_US), (zero + 1, zero + 90 * MINUTE_US - 1)):
            counted: Counter[tuple[int, int]] = Counter()
            for row in plain.all():
                for at_us, level, by in plain.open(row).rows("select received_us, level, agent_id from log"):
                    minute = at_us // MINUTE_US * MINUTE_US
                    if agent in (0, by) and since <= minute < until:
                        counted[minute, level] += 1
            for view in (plain, sealed):
                found = log_minutes(view, agent, since, until, CancelToken())
                told = zip(*(column.tolist() for column in found), strict=True)
                assert [((minute, level), n) for minute, level, n in told] == sorted(counted.items())


def test_a_rare_text_is_found_without_looking_at_the_records(views: tuple[StoreView, StoreView]) -> None:
    """What the index finds, and where it says that it cannot help."""
    sealed = views[1]
    index = sealed.open(sealed.all()[0]).log_index
    for needle in ("connection refused", "n refus", "550e8400", "onnect"):
        found = list(index.candidates(None, ALL_LEVELS, [needle], 0, 1 << 40) or ())
        assert found == sorted(found, reverse=True)
        assert 0 < len(found) < 400
        assert len(list(index.candidates({1}, ALL_LEVELS, [needle], 0, 1 << 40) or ())) < len(found)
    assert list(index.candidates(None, ALL_LEVELS, ["nowhere"], 0, 1 << 40) or ()) == index._unindexed(
        0, 1 << 40, up=False
    )
    assert index.candidates(None, ALL_LEVELS, ["--"], 0, 1 << 40) is None
    assert index.candidates(None, [Level.INFO], [], 0, 1 << 40) is None
