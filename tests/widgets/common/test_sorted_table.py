"""A table of plain rows: what stays is left alone, whatever comes and goes around it."""

import random
from typing import NamedTuple

import pytest

from widgets.common.sorted_table import Column, SortedTable


class Thing(NamedTuple):
    name: str
    size: int = 0


@pytest.fixture
def table(qtbot):
    columns = [Column("Name", lambda one: one.name), Column("Size", lambda one: str(one.size), lambda one: one.size)]
    made = SortedTable("Things", columns, (100, 100), lambda one: one.name)
    qtbot.addWidget(made)
    made.show_rows([Thing(name) for name in "abcdef"])
    return made


@pytest.fixture
def resets(table):
    seen = []
    table.records.modelReset.connect(lambda: seen.append(1))
    return seen


def names(table):
    return "".join(one.name for one in table.records.rows)


def test_only_what_changed_is_told(table, resets):
    changed = []
    table.records.dataChanged.connect(lambda first, last, _roles: changed.append((first.row(), last.row())))
    table.show_rows([Thing("a"), Thing("b", 1), Thing("c", 1), Thing("d"), Thing("e", 1), Thing("f")])
    assert changed == [(1, 2), (4, 4)]
    assert table.records.index(4, 1).data() == "1"
    assert not resets


def test_rows_come_and_go_around_those_that_stay(table, resets):
    table.selectRow(2)
    table.show_rows([Thing(name) for name in "xyacedz"])
    assert resets  # d and e changed places
    assert [one.name for one in table.selected] == ["c"]
    del resets[:]
    table.show_rows([Thing(name) for name in "wyaceq"])
    assert names(table) == "wyaceq"
    assert not resets
    assert [one.name for one in table.selected] == ["c"]
    assert table.currentIndex().row() == 3


def test_by_chance(table, qtmodeltester):
    rnd = random.Random(7)
    for _ in range(200):
        rows = [Thing(name, rnd.randrange(3)) for name in rnd.sample("abcdefghijkl", rnd.randrange(12))]
        rows.sort(key=lambda one: one.name) if rnd.random() < 0.7 else None
        table.show_rows(rows)
        assert table.records.rows == rows
        assert table.records._names == [one.name for one in rows]
        assert table.model().rowCount() == len(rows)
    qtmodeltester.check(table.records)


def test_an_order_is_kept_while_rows_come(table):
    table.sortByColumn(1, table.horizontalHeader().sortIndicatorOrder().DescendingOrder)
    table.show_rows([Thing("a", 1), Thing("b", 3), Thing("c", 2)])
    assert names(table) == "bca"
    table.show_rows([Thing("a", 9), Thing("b", 3), Thing("c", 2), Thing("d", 5)])
    assert names(table) == "adbc"
