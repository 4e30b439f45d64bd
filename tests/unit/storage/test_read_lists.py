"""Lists of records: a search that finds little comes in pieces, what is new is counted, text is found as people write it."""

from dataclasses import replace

import pytest

from models.domain.messages import Kind
from models.domain.queries import CancelToken, LogLine, LogRequest, LogResult, NamesRequest, NamesResult
from models.domain.records import Level, LogRow
from models.domain.search.terms import Anywhere, Comparison, LevelIs
from models.storage.history import row_pages
from models.storage.history.reader import HistoryReader
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, SegmentBuilder, raw

S = 1_000_000


def tell(segment: SegmentBuilder, second: float, *texts: str, level: Level = Level.INFO, agent: str = "a") -> None:
    """One message at that second with these records."""
    build, at = segment.builder, T0 + round(second * S)
    id_ = build.agent(agent)
    batch = build.messages([raw(f"agents/{agent}/log", at_us=at)], id_, Kind.LOG)
    batch.logs = [LogRow(0, at, id_, level, None, text) for text in texts]
    segment.write(batch)


def ask(reader: HistoryReader, request: LogRequest) -> LogResult:
    (page,) = reader.answer(request, CancelToken())
    assert isinstance(page, LogResult)
    return page


def all_rows(reader: HistoryReader, request: LogRequest) -> tuple[list[LogLine], int]:
    """What pages in a row find, and how many there were."""
    rows, count = [], 0
    while True:
        page = ask(reader, request)
        rows += page.rows
        count += 1
        if page.reach.searched is None:
            return rows, count
        assert request.before is None or page.reach.searched < request.before, "it goes on"
        request = replace(request, before=page.reach.searched)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step takes too long for a page."""
    monkeypatch.setattr(row_pages, "FIRST_STEP", 5)
    monkeypatch.setattr(row_pages, "LAST_STEP", 5)
    monkeypatch.setattr(row_pages, "PAGE_S", -1.0)


def test_a_long_search_comes_in_pieces_and_finds_everything_once(
    build: HistoryBuilder, reader: HistoryReader, hasty: None
) -> None:
    first, second, later = build.segment(), build.segment(), build.segment()
    for n in range(30):  # two captures at once, then one alone
        tell(first, n, "needle" if n % 11 == 0 else "hay")
        tell(second, n + 0.5, "hay", "needle" if n == 7 else "hay")
        tell(later, 100 + n, "a Needle" if n == 2 else "hay")
    rows, count = all_rows(reader, LogRequest(query=Anywhere("NEEDLE")))
    assert [row.time_us for row in rows] == [T0 + round(s * S) for s in (102, 22, 11, 7.5, 0)]
    assert count > 10, "each piece is short"
    assert ask(reader, LogRequest(query=Anywhere("nothing like it"))).rows == ()


def test_what_came_since_goes_by_when_it_was_stored(build: HistoryBuilder, reader: HistoryReader) -> None:
    """A clock may be set back, and an import come from a computer whose clock is ahead."""
    first = build.segment()
    tell(first, 3_600, "before the clock was set back")
    seen = ask(reader, LogRequest()).reach.newest
    first.close()
    second = build.segment()
    tell(second, 0, "after it")
    build.capture(kind="import")
    ahead = build.segment()
    tell(ahead, 7_200, "ahead")
    ahead.close()
    page = ask(reader, LogRequest(after=seen))
    assert [row.text for row in page.rows] == ["after it"]
    seen = page.reach.newest
    tell(second, 1, "later")
    page = ask(reader, LogRequest(after=seen))
    assert ([row.text for row in page.rows], page.reach.matched) == (["later"], 1)
    everything = [row.text for row in ask(reader, LogRequest()).rows]
    assert everything == ["ahead", "before the clock was set back", "later", "after it"]
    rows, _ = all_rows(reader, LogRequest(limit=1))
    assert [row.text for row in rows] == everything


def test_what_came_since_is_told_and_counted_whatever_matches(build: HistoryBuilder, reader: HistoryReader) -> None:
    first = build.segment()
    for n in range(3):
        tell(first, n, "old", level=Level.ERROR)
    seen = ask(reader, LogRequest(query=Anywhere("no match at all"))).reach.newest
    assert seen is not None
    assert ask(reader, LogRequest(after=seen)).reach.matched == 0
    for n in range(20):
        tell(first, 10 + n, "new", "new too", level=Level.ERROR if n % 2 else Level.INFO)
    second = build.segment()
    tell(second, 40, "newest")
    page = ask(reader, LogRequest(after=seen, limit=7))
    assert [row.text for row in page.rows] == ["newest"] + ["new too", "new"] * 3
    assert page.reach.matched == 41
    assert page.reach.searched == page.rows[-1].key
    assert (
        ask(reader, LogRequest(after=seen, query=LevelIs(Comparison.AT_LEAST, Level.ERROR), limit=0)).reach.matched
        == 20
    )
    assert ask(reader, LogRequest(after=page.reach.newest)).reach.matched == 0


def test_where_nothing_is_logged_yet_the_first_record_is_new(build: HistoryBuilder, reader: HistoryReader) -> None:
    segment = build.segment()
    segment.write(build.messages([raw(at_us=T0)]))
    nothing = ask(reader, LogRequest())
    assert (nothing.rows, nothing.reach.searched) == ((), None)
    tell(segment, 0, "in the same moment")
    assert [row.text for row in ask(reader, LogRequest(after=nothing.reach.newest)).rows] == ["in the same moment"]


@pytest.mark.parametrize(
    ("needle", "found"),
    [
        ("STRASSE", ["Straße"]), ("K KEL", ["\u212a kelvin"]), ("100 %", ["100 % of 5_000\\"]),
        ("5_0", ["100 % of 5_000\\"]), ("5x0", []), ("0\\", ["100 % of 5_000\\"]), ("behind", ["nul\0behind"]),
        ("x" * 60_000, []), ("%", ["100 % of 5_000\\"]),
    ],
)  # fmt: skip
def test_text_is_found_literally_and_without_regard_to_case(
    build: HistoryBuilder, reader: HistoryReader, needle: str, found: list[str]
) -> None:
    segment = build.segment()
    for place, text in enumerate(("Straße", "\u212a kelvin", "100 % of 5_000\\", "nul\0behind")):
        tell(segment, place, text)
    rows = ask(reader, LogRequest(query=Anywhere(needle))).rows
    assert sorted(row.text for row in rows) == sorted(found)


def test_names_of_all_agents_even_of_those_that_only_an_open_segment_knows(
    build: HistoryBuilder, reader: HistoryReader
) -> None:
    segment = build.segment()
    tell(segment, 0, "x", agent="a")
    build.database.execute_sql("update agent set own_name = 'Ada' where name = 'a'")
    tell(segment, 1, "x", agent="b")
    build.database.execute_sql("update agent set own_name = 'Bo', given_name = 'Bea' where name = 'b'")
    tell(segment, 2, "x", agent="new")
    build.database.execute_sql("delete from agent where name = 'new'")
    (names,) = reader.answer(NamesRequest(), CancelToken())
    assert isinstance(names, NamesResult)
    assert list(zip(names.agent, names.id, names.name, strict=True)) == [(1, "a", "Ada"), (2, "b", "Bea"), (3, "new", "new")]  # fmt: skip
