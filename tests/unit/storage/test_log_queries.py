"""A query finds the same records in segments as they are written and sealed, and the same as a plain filter over the export."""

import io
import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest

from models.domain.messages import Kind
from models.domain.queries import CancelToken, LogRequest, LogSummaryRequest
from models.domain.records import Level, LogRow
from models.domain.search.parsing import LEVELS, parse
from models.domain.search.terms import (
    All,
    Anywhere,
    Arrived,
    Comparison,
    Either,
    FieldCompares,
    FieldIs,
    LevelIs,
    Not,
    Term,
)
from models.domain.search.writing import written
from models.domain.timestamps import utc_text
from models.storage.copies.verify import verify
from models.storage.export.run import export
from models.storage.history import log_lists, log_summary, row_pages
from models.storage.history.log_lists import answer_logs
from models.storage.history.store_view import StoreView
from models.storage.sealing import log_fields, row_writing
from models.storage.sealing.row_shapes import LOG
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, raw
from tests.unit.storage.test_sealing import seal_all

AGENTS = ("planner-1", "planner-2", "crawler", "Żółw")
TEXTS = (
    "timed out",
    "Timeout",
    "retry 3",
    "connection refused",
    "ß",
    "STRASSE",
    "ok",
    "",
    "100%",
    "a*b",
    'say "x"',
    "\\",
)
VALUES: tuple[Any, ...] = (
    0, 1, 200, 250.5, -3, "200", "fast", "E*", True, False, None, ["a", 7, ["b"]], {"c": 1}, "ümlaut", "", 'q"q',
    0.1, 0.1000000001, 16_777_217, 2**53 + 1, 1e300, "1_000", "inf",
)  # fmt: skip
NUMBERS = (0.0, 200.0, 5.0, -1.0, 0.1, 250.5, 16_777_216.0, 2.0**53, 1e300)
KEYS = ("latency", "code", "http", "http.status", "größe", "level", "a.b.c", "a")
FIELDS = (
    *(key for key in KEYS if key != "level"),
    "http.status.x",
    "a.b",
    "attributes.level",
    "nowhere",
    "agent",
    "logger",
    "text",
    "error",
    "stack",
)


def attributes(chance: random.Random) -> str | None:
    found: dict[str, Any] = {key: chance.choice(VALUES) for key in chance.sample(KEYS, chance.randrange(4))}
    if chance.random() < 0.3:
        found["http"] = {"status": chance.choice(VALUES), "status.x": 5}
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if found else None


def build(root: Path) -> Workspace:
    chance = random.Random(4)
    builder = HistoryBuilder(Workspace.at(root))
    agents = [0, *(builder.agent(name) for name in AGENTS)]
    now_us = T0
    for _ in range(3):
        segment = builder.segment()
        for _ in range(15):
            messages = []
            for _ in range(10):
                now_us += chance.choice((1_000, 5_000_000))
                messages.append(raw("logs/x", b"x", now_us))
            batch = builder.messages(messages, agents[1], Kind.LOG)
            for row in range(10):
                logger, error, stack = (chance.choice(TEXTS) if chance.random() < 0.4 else None for _ in range(3))
                level, text = chance.choice(list(Level)), " ".join(chance.choices(TEXTS, k=2))
                at_us, agent = messages[row].received_us, chance.choice(agents)
                batch.logs.append(LogRow(row, at_us, agent, level, logger, text, error, stack, attributes(chance)))
            segment.write(batch)
        segment.close()
    builder.close()
    return builder.workspace


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, ...]:
    """The same history: as it was written, sealed, sealed before fields had columns, and with columns that tell little."""
    folder = tmp_path_factory.mktemp("queries")
    plain = build(folder / "plain")
    sealed, earlier, coarse = (Workspace.at(folder / name) for name in ("sealed", "earlier", "coarse"))
    for one in (sealed, coarse):
        shutil.copytree(plain.root, one.root)
    assert seal_all(sealed) == 3
    with pytest.MonkeyPatch.context() as patched:
        for name, most in (("PART_ROWS", 60), ("MOST_WORDS", 3), ("MOST_FIELDS", 8), ("_MOST_VALUES", 4)):
            patched.setattr(log_fields, name, most)
        patched.setattr(row_writing, "LOG", LOG._replace(rows=20))
        assert seal_all(coarse) == 3
    shutil.copytree(sealed.root, earlier.root)
    for number in (1, 2, 3):
        forget_columns(earlier.segment(number))
    return plain, sealed, earlier, coarse


def forget_columns(path: Path) -> None:
    """As segments were sealed before there were columns of fields."""
    connection = apsw.Connection(str(path))
    tables = ("log_part", "log_field", "log_field_rows")
    for table in tables:
        connection.execute(f"DROP TABLE {table}")
    ((sums,),) = connection.execute("SELECT value FROM meta WHERE key = 'sums'").fetchall()
    kept = {table: crc for table, crc in json.loads(str(sums)).items() if table not in tables}
    connection.execute("UPDATE meta SET value = ? WHERE key = 'sums'", (json.dumps(kept, sort_keys=True),))
    connection.close()


@pytest.fixture(scope="module")
def views(workspaces: tuple[Workspace, ...]) -> Iterator[list[StoreView]]:
    found = [StoreView(one) for one in workspaces]
    for view in found:
        view.refresh()
    yield found
    for view in found:
        view.close()


# ------------------------------------------------------------ the plain filter, which shares nothing with the search


def holds(term: Term, row: dict[str, Any]) -> bool:
    match term:
        case All(terms):
            return all(holds(one, row) for one in terms)
        case Either(terms):
            return any(holds(one, row) for one in terms)
        case Not(inner):
            return not holds(inner, row)
        case Anywhere(text):
            return any(text.casefold() in (row[key] or "").casefold() for key in ("text", "logger", "error"))
        case LevelIs(comparison, level):
            return compare(LEVELS[row["level"]], comparison, level)
        case Arrived(comparison, moment_us):
            return compare(row["received"], comparison, utc_text(moment_us))
        case FieldIs(field, parts):
            inside = field in ("text", "error", "stack") and parts != ("", "")
            return any(like(text.casefold(), [part.casefold() for part in parts], inside) for text in texts(row, field))
        case FieldCompares(field, comparison, number):
            return any(compare(one, comparison, number) for one in numbers(row, field))


def compare(left: Any, comparison: Comparison, right: Any) -> bool:
    return {
        ":": left == right, ">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right,
    }[comparison]  # fmt: skip


def like(text: str, parts: list[str], inside: bool) -> bool:
    """By trying every place, without any cleverness."""
    if not text:
        return False
    if inside:
        parts = ["", *parts, ""]
    if len(parts) == 1:
        return text == parts[0]
    reached = {len(parts[0])} if text.startswith(parts[0]) else set()
    for part in parts[1:-1]:
        reached = {at + len(part) for one in reached for at in range(one, len(text) + 1) if text.startswith(part, at)}
    last = len(text) - len(parts[-1])
    return text.endswith(parts[-1]) and any(one <= last for one in reached)


def values(row: dict[str, Any], field: str) -> list[Any]:
    if field in ("agent", "logger", "text", "error", "stack"):
        return [row[field]] if row[field] else []
    found: list[Any] = []

    def walk(value: Any, path: str) -> None:
        if path == field.removeprefix("attributes."):
            found.append(value)
        for key, inner in value.items() if isinstance(value, dict) else ():
            walk(inner, f"{path}.{key}" if path else key)

    walk(row["attributes"] or {}, "")
    return found


def texts(row: dict[str, Any], field: str) -> list[str]:
    def spread(value: Any) -> list[str]:
        if isinstance(value, list):
            return [text for one in value for text in spread(one)]
        return [value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))]

    return [text for value in values(row, field) for text in spread(value)]


def numbers(row: dict[str, Any], field: str) -> list[float]:
    found = []
    for value in () if field == "agent" else values(row, field):
        for one in value if isinstance(value, list) else [value]:
            told = str(one) if isinstance(one, int | float | str) and not isinstance(one, bool) else ""
            if told.strip("0123456789+-.eE") == "" and told.lower() not in ("", "e"):
                found.append(float(one))
    return found


# ------------------------------------------------------------ queries by chance


def query(chance: random.Random, depth: int = 0) -> Term:
    kind = chance.randrange(9 if depth < 3 else 6)
    if kind == 0:
        return Anywhere(chance.choice((*TEXTS, "out", "ETR", "fus", "nowhere", "ss")) or "k")
    if kind == 1:
        return LevelIs(
            chance.choice([one for one in Comparison if one is not Comparison.NOT]), chance.choice(list(Level))
        )
    if kind == 2:
        comparison, at_us = chance.choice((Comparison.AT_LEAST, Comparison.LESS)), T0 + chance.randrange(1_200_000_000)
        return Arrived(comparison, at_us)
    if kind == 3:
        pattern = chance.choice(
            (("planner-", ""), ("", "er"), ("crawler",), ("żółw",), ("", ""), ("p", "n", "1"), ("x",))
        )
        return FieldIs("agent", pattern)
    if kind == 4:
        pattern = chance.choice((
            ("200",), ("", ""), ("fa", ""), ("E*",), ("true",), ("null",), ("7",), ("b",), ("ÜMLAUT",), ("timed out",), ("o",),
            ("", "u", ""), ('q"q',), ('{"c":1}',), ("250.5",), ("",), ("0.1",), ("16777217",),
        ))  # fmt: skip
        return FieldIs(chance.choice(FIELDS), pattern)
    if kind == 5:
        comparison = chance.choice((Comparison.MORE, Comparison.AT_LEAST, Comparison.LESS, Comparison.AT_MOST))
        return FieldCompares(chance.choice(FIELDS), comparison, chance.choice(NUMBERS))
    if kind == 6:
        return Not(query(chance, depth + 1))
    some = tuple(query(chance, depth + 1) for _ in range(chance.choice((2, 3))))
    return All(some) if kind == 7 else Either(some)


def rows_of(view: StoreView, request: LogRequest) -> list[tuple[str, str]]:
    rows = []
    while True:
        (page,) = answer_logs(view, request, CancelToken())
        rows += [(utc_text(line.key.received_us), line.text) for line in page.rows]
        if page.reach.searched is None:
            return rows
        request = replace(request, before=page.reach.searched)


@pytest.mark.parametrize("count", [80, pytest.param(1_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("patience_s", [-1.0, 3_600.0], ids=["a page a step", "whole pages"])
def test_every_way_finds_the_same(
    workspaces: tuple[Workspace, ...],
    views: list[StoreView],
    patience_s: float,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(row_pages, "PAGE_S", patience_s)
    monkeypatch.setattr(row_pages, "FIRST_STEP", 50)
    monkeypatch.setattr(row_pages, "MET_AT_ONCE", 7)
    out = io.BytesIO()
    assert export(workspaces[0], "logs", out, format="jsonl") == 450
    exported = [json.loads(line) for line in out.getvalue().splitlines()][::-1]
    chance = random.Random(count)
    found_some = 0
    for _ in range(count):
        term = query(chance)
        wanted = [(row["received"], row["text"]) for row in exported if holds(term, row)]
        request = LogRequest(query=parse(written(term), T0), limit=chance.choice((5, 1_000)))
        for view in views:
            assert rows_of(view, request) == wanted, written(term)
        found_some += 0 < len(wanted) < len(exported)
    assert found_some > count // 3


def test_a_segment_sealed_before_there_were_columns_is_whole(workspaces: tuple[Workspace, ...]) -> None:
    assert not list(verify(workspaces[2]))
    assert list(verify(workspaces[1])) == list(verify(workspaces[3])) == []


def test_columns_count_without_the_records(views: list[StoreView], monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[object] = []
    meets = log_lists._meets
    monkeypatch.setattr(log_lists, "_meets", lambda test, names, row: held.append(row) or meets(test, names, row))
    monkeypatch.setattr(log_summary, "SAMPLED", 1)
    begin_us = T0 // 60_000_000 * 60_000_000
    for text in ("code:*", "NOT code:200 NOT logger:ok", "level:error OR a.b.c>=250.5 OR logger:retry*"):
        counts, looked_at = [], []
        for view in (views[1], views[2]):  # as it is sealed, and was before
            held.clear()
            request = LogSummaryRequest(parse(text, T0), begin_us, begin_us + 3_600_000_000, 60_000_000)
            (*_, found) = log_summary.answer_log_summary(view, request, CancelToken())
            counts.append(found.counts.tolist())
            looked_at.append(len(held))
        assert counts[0] == counts[1]
        assert looked_at[0] * 2 < looked_at[1], (text, looked_at)


def test_new_records_are_counted_by_the_query(views: list[StoreView]) -> None:
    chance = random.Random(2)
    for _ in range(40):
        request = LogRequest(query=query(chance), limit=10_000)
        for view in views:
            (page,) = answer_logs(view, request, CancelToken())
            if len(page.rows) > 3:
                after = page.rows[len(page.rows) // 2].key
                (newer,) = answer_logs(view, replace(request, after=after, limit=1), CancelToken())
                assert newer.reach.matched == len(page.rows) // 2, written(request.query)


@pytest.mark.parametrize("number", ["0.00001", "0.00001234", "1e16", "1.2345678901234568e17"])
def test_numbers_are_found_by_what_is_shown_of_them(tmp_path: Path, number: str) -> None:
    """Small and large ones are stored in other words than the facets tell."""
    builder = HistoryBuilder(Workspace.at(tmp_path / "w"))
    segment = builder.segment()
    batch = builder.messages([raw("logs/x", b"x", T0)], builder.agent("a"), Kind.LOG)
    batch.logs.append(LogRow(0, T0, 1, Level.INFO, None, "x", None, None, f'{{"deep":[{number}],"n":{number}}}'))
    segment.write(batch)
    segment.close()
    builder.close()
    told = json.dumps(float(number))
    for _ in range(2):  # as it was written, and sealed
        view = StoreView(builder.workspace)
        view.refresh()
        for text in (f"n:{told}", f"deep:{told}", f"n:{told[:4]}*", f"n>={number} n<={told}"):
            assert len(rows_of(view, LogRequest(query=parse(text, T0)))) == 1, text
        view.close()
        seal_all(builder.workspace)


def test_fractions_that_round_to_the_same_are_told_apart(tmp_path: Path) -> None:
    """Columns hold the nearest of four bytes; whoever is near is looked at."""
    builder = HistoryBuilder(Workspace.at(tmp_path / "w"))
    segment = builder.segment()
    batch = builder.messages([raw("logs/x", b"x", T0)], builder.agent("a"), Kind.LOG)
    for number in ("0.1", "0.1000000001", "0.0999999999", "0.2"):
        batch.logs.append(LogRow(0, T0, 1, Level.INFO, None, number, None, None, f'{{"n":{number}}}'))
    segment.write(batch)
    segment.close()
    builder.close()
    begin_us = T0 // 60_000_000 * 60_000_000
    for _ in range(2):  # as it was written, and sealed
        view = StoreView(builder.workspace)
        view.refresh()
        wanted = {
            "n>0.1": 2,
            "n>=0.1": 3,
            "n<0.1": 1,
            "n<=0.1": 2,
            "NOT n>0.1": 2,
            "NOT n<=0.1": 2,
            "n:0.1": 1,
            "NOT n:0.1": 3,
        }
        for text, n in wanted.items():
            query = parse(text, T0)
            assert len(rows_of(view, LogRequest(query=query))) == n, text
            request = LogSummaryRequest(query, begin_us, begin_us + 60_000_000, 60_000_000)
            (*_, found) = log_summary.answer_log_summary(view, request, CancelToken())
            assert found.counts.sum() == n, text
        view.close()
        seal_all(builder.workspace)


def test_what_agents_are_called_is_read_only_where_the_query_asks(
    views: list[StoreView], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred thousand it takes a while, for every page."""
    read: list[StoreView] = []
    names = log_lists.names_of_agents
    monkeypatch.setattr(log_lists, "names_of_agents", lambda view: read.append(view) or names(view))
    for text, times in (("level:error timed", 0), ("NOT agent:crawler", 1)):
        assert rows_of(views[0], LogRequest(query=parse(text, T0), limit=1_000))
        assert len(read) == times
