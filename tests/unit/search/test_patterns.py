"""Texts that differ in numbers and ids alone have one pattern, and a query finds all of them by it."""

import json

import pytest

from models.domain.log_json import flat
from models.domain.records import Level
from models.domain.search.matching import Record, texts_of
from models.domain.search.matching import test_of as holds
from models.domain.search.parsing import parse
from models.domain.search.patterns import PATTERN, pattern_of, term_of
from models.domain.search.terms import attribute
from models.domain.search.writing import written


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("task 12 failed", "task * failed"),
        ("GET /api/v1/users?page=3 200 in 14ms", "GET * in *"),
        ("user 550e8400-e29b-41d4-a716-446655440000 logged in", "user * logged in"),
        ('cannot open "a b.txt": no such file', "cannot open *: no such file"),
        ("retry in 3.5s, attempt 2/5", "retry in *, attempt *"),
        ("step done", "step done"),
        ("first line 1\nsecond", "first line *"),
        ("2026-11-23T07:54:18.496Z started", "* started"),
        ("10.0.0.7:8080 refused", "* refused"),
        ("", ""),
        ("a*b", "a*b"),
    ],
)
def test_patterns(text: str, pattern: str) -> None:
    assert pattern_of(text) == pattern
    if text:
        record = Record(0, (), Level.INFO, "", text, "", "", "")
        assert holds(term_of(PATTERN, pattern))(record)


def test_another_text_does_not_fit() -> None:
    record = Record(0, (), Level.INFO, "", "task 12 done", "", "", "")
    assert not holds(term_of(PATTERN, "task * failed"))(record)


@pytest.mark.parametrize(
    "name",
    [
        "user id",
        "1st",
        "Level",
        "after",
        "a:b",
        "x=y",
        'say "x"',
        "a\\b",
        "(",
        "größe",
        "attributes",
        "Agent",
        "level",
        "-",
    ],
)
@pytest.mark.parametrize("value", ["v", "two words", "a*b", "z" * 300])
def test_whatever_an_attribute_is_called_its_value_is_found(name: str, value: str) -> None:
    for document, path in (({name: value}, name), ({"attributes": {name: value}}, f"attributes.{name}")):
        record = Record(0, (), Level.INFO, "", "", "", "", json.dumps(document, ensure_ascii=False))
        assert holds(parse(written(term_of(attribute(path), value[:200])), 0))(record)


@pytest.mark.parametrize("begin", ["[", '{"a":', '[{"a":'])
def test_nesting_of_any_depth_is_no_crash(begin: str) -> None:
    end = begin.translate({ord("["): "]", ord("{"): "}"})[::-1].replace('"a":'[::-1], "")
    for depth in (*range(400, 1_100, 50), *range(970, 1_000)):
        document = f'{{"a":{begin * depth}1{end * depth}}}'
        holds(parse("a:1 OR a>0", 0))(Record(0, (), Level.INFO, "", "", "", "", document))
    nested: object = 1
    for _ in range(900):
        nested = [nested]
    assert texts_of(nested) == ["1"]
    assert flat({"a": nested, "b": {"c": [2, "x"]}})[1:] == [("b.c[0]", "2"), ("b.c[1]", "x")]
