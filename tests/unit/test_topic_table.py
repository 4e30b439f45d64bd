"""More topics than memory shall hold: the same ids, whatever is forgotten."""

import pytest

from models.domain import topic_table
from models.domain.topic_table import TopicTable


class Shelf:
    def __init__(self) -> None:
        self.names: dict[int, bytes] = {}

    def id_of(self, name: bytes) -> int:
        return next((id_ for id_, one in self.names.items() if one == name), 0)

    def name_of(self, id_: int) -> bytes:
        return self.names[id_]


def test_ids_outlive_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_table, "MOST_TOPICS", 10)
    table, shelf = TopicTable(), Shelf()
    table.shelf = shelf
    known: dict[bytes, int] = {}
    for turn in range(200):
        name = b"t/%d" % (turn * 7919 % 61)
        id_ = table.id_of(name)
        assert known.setdefault(name, id_) == id_
        shelf.names[id_] = name
        if turn % 5 == 0:
            table.forget()
            assert len(table._ids) <= 10 + 5
    assert len(table) == 62
    assert {table[id_]: id_ for id_ in range(1, 62)} == known
    assert len(table._names) <= 16


def test_long_names_count_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_table, "MOST_BYTES", 1_000)
    table = TopicTable()
    table.shelf = Shelf()
    for turn in range(20):
        table.id_of(b"%d" % turn * 200)
        table.id_of(b"%d" % turn * 200)
        table.forget()
    assert table._bytes == sum(map(len, table._ids)) <= 1_400


def test_nothing_is_forgotten_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_table, "MOST_TOPICS", 1)
    table = TopicTable()
    for name in (b"a", b"b", b"c"):
        table.id_of(name)
    table.forget()
    assert [table[id_] for id_ in range(4)] == [b"", b"a", b"b", b"c"]
    with pytest.raises(IndexError):
        table[4]
    with pytest.raises(ValueError, match="is b'a'"):
        table.put(1, b"x")
