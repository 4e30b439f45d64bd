"""Texts that differ in numbers and ids alone have one pattern, and a query finds all of them by it."""

import pytest

from models.domain.records import Level
from models.domain.search.matching import Record
from models.domain.search.matching import test_of as holds
from models.domain.search.patterns import PATTERN, pattern_of, term_of


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
