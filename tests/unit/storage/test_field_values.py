"""One number of a topic's messages: the same from open and sealed files, in pages, with what comes meanwhile."""

import json
import random
import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from models.domain.field_numbers import FieldNumbers
from models.domain.json_path import number_of
from models.domain.queries import Cancelled, CancelToken, FieldRequest, FieldResult
from models.storage.history import field_values
from models.storage.history.reader import HistoryReader
from models.storage.workspace import Workspace
from tests.helpers.clock import FIRST_WALL_US as T0
from tests.helpers.history_builder import HistoryBuilder, raw
from tests.unit.storage.test_sealing import seal_all

TOPIC, PATH = b"agents/a/metrics", ("metrics", "cpu")
MINUTE_US = 60_000_000
Points = Counter[tuple[int, float]]


def payload(chance: random.Random) -> bytes:
    value: object = chance.choice((chance.random(), 3, "text", None, True, [1], 10**30))
    return json.dumps(chance.choice(({"metrics": {"cpu": value, "x": 1}}, {"metrics": 3}, {}))).encode()


@pytest.fixture(params=["plain", "sealed"], scope="module")
def recorded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, list[tuple[int, bytes]]]:
    """An import between two captures; every message of the topic by arrival."""
    chance, tmp_path = random.Random(3), tmp_path_factory.mktemp("field")
    builder = HistoryBuilder(Workspace.at(tmp_path / "w"))
    told: list[tuple[int, bytes]] = []
    at_us = T0
    for kind in ("record", "import", "record"):
        capture = builder.capture(kind)
        for count in (40, 4):
            segment = builder.segment(capture)
            for _ in range(count):
                at_us += 2 * MINUTE_US
                some = [raw(chance.choice((TOPIC, b"agents/a/metrics/deep", b"z")), payload(chance), at_us + n) for n in range(30)]  # fmt: skip
                segment.write(builder.messages(some))
                told += [(one.received_us, one.payload) for one in some if one.topic == TOPIC]
            segment.close()
    builder.close()
    workspace = builder.workspace
    if request.param == "sealed":
        sealed = Workspace.at(tmp_path / "sealed")
        shutil.copytree(workspace.root, sealed.root)
        assert seal_all(sealed) == 6
        workspace = sealed
    return workspace, told


def gather(reader: HistoryReader, request: FieldRequest) -> tuple[Points, int, int, FieldResult]:
    """Points, messages, pages and the first answer."""
    points, messages, pages = Points(), 0, 0
    first: FieldResult | None = None
    while True:
        (found,) = reader.answer(request, CancelToken())
        assert isinstance(found, FieldResult)
        first = first or found
        points.update(zip(found.received_us.tolist(), found.value.tolist(), strict=True))
        messages, pages = messages + found.messages, pages + 1
        if found.reach.searched is None:
            return points, messages, pages, first
        request = replace(request, before=found.reach.searched)


def expected(told: list[tuple[int, bytes]], since_us: int = 0, until_us: int = 2**62) -> tuple[Points, int]:
    some = [(at, number_of(one, PATH)) for at, one in told if since_us <= at < until_us]
    return Points((at, number) for at, number in some if number is not None), len(some)


@pytest.mark.parametrize("page_s", [0, 3_600])
def test_every_number_is_found_once_however_it_is_paged(recorded, monkeypatch: pytest.MonkeyPatch, page_s: int) -> None:
    workspace, told = recorded
    monkeypatch.setattr(field_values, "PAGE_S", page_s)
    reader = HistoryReader(workspace)
    request = FieldRequest(TOPIC, PATH)
    points, messages, pages, first = gather(reader, request)
    assert (points, messages) == expected(told)
    assert (pages > 5) == (page_s == 0)
    assert page_s or first.received_us.min() > T0 + 200 * MINUTE_US  # the newest come first
    since_us, until_us = T0 + 100 * MINUTE_US + 7, T0 + 200 * MINUTE_US + 11
    assert gather(reader, replace(request, since_us=since_us, until_us=until_us))[:2] == expected(
        told, since_us, until_us
    )
    assert gather(reader, replace(request, topic=b"nowhere"))[:2] == (Points(), 0)
    reader.close()


def test_what_came_since_is_asked_for_by_row(build: HistoryBuilder, reader: HistoryReader, monkeypatch) -> None:
    monkeypatch.setattr(field_values, "PAGE_S", 0)
    capture, segment = build.capture(), build.segment()

    def tell(*values: int, at_us: int = T0) -> None:
        segment.write(build.messages([raw(TOPIC, b'{"metrics":{"cpu":%d}}' % one, at_us) for one in values]))

    tell(1, 2)
    first = gather(reader, FieldRequest(TOPIC, PATH))[3]
    tell(3, at_us=T0 - MINUTE_US)  # the clock was set back
    segment.close()
    brought = build.segment(build.capture("import"))
    brought.write(build.messages([raw(TOPIC, b'{"metrics":{"cpu":9}}', T0 + MINUTE_US)]))
    segment = build.segment(capture)
    tell(4, 5)
    assert first.reach.newest is not None
    points, messages, _, _ = gather(reader, FieldRequest(TOPIC, PATH, after=first.reach.newest))
    assert sorted(value for _, value in points.elements()) == [3, 4, 5]
    assert messages == 3


def test_it_stops_where_nobody_waits(recorded) -> None:
    reader, token = HistoryReader(recorded[0]), CancelToken(cancelled=True)
    with pytest.raises(Cancelled):
        list(reader.answer(FieldRequest(TOPIC, PATH), token))
    reader.close()


@pytest.mark.parametrize("path", [("seq",), ("metrics", "y"), (0,), ("items", 1, "n"), (), ('odd"key',), ("ż", "ó")])
def test_numbers_are_those_that_a_whole_document_has(path: tuple) -> None:
    documents = [
        b'{"a":NaN,"seq":3}', b'{"seq":"x"}', b'{"seq":true}', b"[1]", b"", b"7", b'{"seq":1e999}', b'{"seq":-12345678901234567890123}',
        b'{"metrics":3}', b'{"metrics":null}', b'{"metrics":{"y":2.5}}', b'\xef\xbb\xbf{"seq":4}', b'{"seq":1,"seq":2}', b'{"seq": 5',
        b'{"seq": 1}x', b"\xff", b'{"items":[{"n":1},{"n":2}]}', b'{"items":[1]}', b'{"odd\\"key":8}', '{"ż":{"ó":1}}'.encode(),
        b"[" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"seq":6,"big":"' + b"x" * 100_000 + b'"}',
    ]  # fmt: skip
    plain = [number_of(one, path) for one in documents]
    np.testing.assert_array_equal(FieldNumbers(path).of(documents), np.array(plain, np.float64))
