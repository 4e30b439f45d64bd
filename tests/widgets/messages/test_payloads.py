"""A message whole: JSON tree, text, bytes, properties; what is long is asked for, what is hostile is only shown."""

import json

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from models.domain.json_path import NOTHING, number_of, path_text, value_at
from models.domain.messages import Properties
from models.domain.problems import Problem
from models.domain.queries import MessageRequest
from tests.widgets.conftest import Desk
from tests.widgets.fakes import message_line
from widgets.messages.hex_item_model import HexModel
from widgets.messages.json_item_model import PAGE, JsonModel
from widgets.messages.message_pane import WHOLE_LIMIT, MessagePane
from widgets.messages.payload_pages import BYTES, FIELDS, JSON, LONGEST_LINE, TEXT, PayloadPages, broken, is_text

DOCUMENT = {
    "name": "crawler\u202e", "on": True, "none": None, "metrics": {"cpu": 0.5, "odd key": 7, "list": [1, "two", {"three": 3}]},
    "": "empty", "empty": {}, "big": 12345678901234567890,
}  # fmt: skip


def rows(model: JsonModel | HexModel, parent: QModelIndex | None = None) -> list[tuple[str, ...]]:
    parent = parent if parent is not None else QModelIndex()
    columns = range(model.columnCount(parent))
    return [
        tuple(str(model.index(row, column, parent).data()) for column in columns)
        for row in range(model.rowCount(parent))
    ]


# ------------------------------------------------------------ paths


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ((), "$", DOCUMENT),
        (("metrics", "cpu"), "metrics.cpu", 0.5),
        (("metrics", "odd key"), 'metrics["odd key"]', 7),
        (("metrics", "list", 2, "three"), "metrics.list[2].three", 3),
        (("",), '[""]', "empty"),
        (("metrics", "list", 9), "metrics.list[9]", NOTHING),
        (("metrics", 0), "metrics[0]", NOTHING),
        (("name", "x"), "name.x", NOTHING),
    ],
)
def test_a_path_is_readable_and_finds_its_value(path: tuple, text: str, value: object) -> None:
    assert path_text(path) == text
    assert value_at(DOCUMENT, path) == value


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        (b"21.5", 21.5), (b" -3 ", -3.0), (b"1e400", None), (b"NaN", None), (b"true", None), (b'"5"', None), (b"", None),
        (b"\xff", None), (b"[" * 100_000, None), (b"1" * 400, None), (b"null", None),
    ],
)  # fmt: skip
def test_a_bare_payload_is_a_number_or_none(payload: bytes, number: float | None) -> None:
    assert number_of(payload, ()) == number


# ------------------------------------------------------------ JSON tree


def test_the_tree_is_typed_plain_and_opened_lazily(desk: Desk) -> None:
    model = JsonModel(desk.theme)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show_document(DOCUMENT)
    assert rows(model) == [
        ("name", r"crawler\u202e"), ("on", "true"), ("none", "null"), ("metrics", "3 fields"), ("", "empty"),
        ("empty", "0 fields"), ("big", "12345678901234567890"),
    ]  # fmt: skip
    metrics = model.index_of(("metrics",))
    assert model.canFetchMore(metrics)
    deep = model.index_of(("metrics", "list", 2, "three"))
    assert (deep.data(), deep.siblingAtColumn(1).data()) == ("three", "3")
    assert rows(model, model.index_of(("metrics", "list")))[:2] == [("[0]", "1"), ("[1]", "two")]
    assert not model.index_of(("metrics", "list", 9)).isValid()
    model.show_document(7.5)
    assert rows(model) == [("", "7.5")]
    model.show_document(NOTHING)
    assert rows(model) == []


def test_a_long_list_is_listed_in_pieces(desk: Desk) -> None:
    model = JsonModel(desk.theme)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show_document({"list": list(range(2 * PAGE + 1))})
    parent = model.index_of(("list",))
    model.fetchMore(parent)
    for left in ("1\u202f001 more…", "1 more…"):
        last = model.index(model.rowCount(parent) - 1, 0, parent)
        assert last.data() == left
        model.show_more(last)
    assert model.rowCount(parent) == 2 * PAGE + 1
    assert rows(model, parent)[-1] == ("[2000]", "2000")


# ------------------------------------------------------------ pages


@pytest.fixture
def pages(desk: Desk, shown) -> PayloadPages:
    made = PayloadPages(desk.theme)
    made.resize(600, 400)
    return shown(made)


def line(payload: bytes, **more: object):
    return message_line(1, 1_000_000, payload)._replace(**more)


def test_what_is_open_and_at_hand_stays_from_message_to_message(pages: PayloadPages) -> None:
    tree = pages.json
    wide = {"a": {"b": {"c": 1}}, "wide": list(range(200))}
    pages.show_message(line(json.dumps(wide).encode()))
    assert tree.isExpanded(tree.document.index_of(("a", "b")))
    assert not tree.isExpanded(tree.document.index_of(("wide",)))  # too much to open by itself
    tree.expand(tree.document.index_of(("wide",)))
    tree.collapse(tree.document.index_of(("a",)))
    tree.setCurrentIndex(tree.document.index_of(("wide", 150)))
    wide["new"] = 5
    pages.show_message(line(json.dumps(wide).encode(), key=message_line(2, 2, b"").key))
    assert tree.isExpanded(tree.document.index_of(("wide",)))
    assert not tree.isExpanded(tree.document.index_of(("a",)))
    assert tree.number_at_hand == ("wide", 150)


def test_values_and_paths_are_copied_as_they_are(pages: PayloadPages, qtbot: QtBot) -> None:
    pages.show_message(line(json.dumps(DOCUMENT).encode()))
    tree, clipboard = pages.json, QGuiApplication.clipboard()
    for path, text in (
        (("name",), "crawler\u202e"),
        (("metrics", "list"), '[1, "two", {"three": 3}]'),
        (("on",), "true"),
    ):
        tree.setCurrentIndex(tree.document.index_of(path))
        qtbot.keyClick(tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert clipboard.text() == text
    tree.copy_path()
    assert clipboard.text() == "on"
    assert [one.text() for one in tree.make_menu().actions()] == ["Copy value", "Copy path"]
    tree.setCurrentIndex(tree.document.index_of(("metrics", "cpu")))
    assert [one.text() for one in tree.make_menu().actions() if one.text()] == ["Copy value", "Copy path", "Plot this field"]  # fmt: skip
    with qtbot.waitSignal(tree.plot_wanted) as told:
        qtbot.keyClick(tree, Qt.Key.Key_Return)
    assert told.args == [("metrics", "cpu")]


def test_a_payload_shows_on_the_first_page_that_fits_it(pages: PayloadPages) -> None:
    pages.show_message(line(b'{"a": 1}'))
    assert pages.currentIndex() == JSON
    pages.show_message(line("żółw <b>x</b>\n".encode()))
    assert (pages.currentIndex(), pages.isTabEnabled(JSON)) == (TEXT, False)
    assert pages.text.toPlainText() == "żółw <b>x</b>\n"
    pages.show_message(line(b"\x00\x01\xff"))
    assert pages.currentIndex() == BYTES
    assert rows(pages.bytes) == [("00000000", "00 01 ff", "···")]
    pages.show_message(line(b'{"a": 1}'))
    assert pages.currentIndex() == JSON
    pages.turn_to(TEXT)
    pages.show_message(line(b'{"a": 2}'))
    assert (pages.currentIndex(), pages.text.toPlainText()) == (TEXT, '{"a": 2}')


def test_a_megabyte_on_one_line_is_broken_into_lines_and_bytes_are_all_there(pages: PayloadPages) -> None:
    payload = b"x" * 1_000_000 + b"\ny"
    pages.show_message(line(payload))
    assert pages.currentIndex() == TEXT
    text = pages.text.toPlainText()
    assert max(map(len, text.split("\n"))) == LONGEST_LINE
    assert text.replace("\n", "") == "x" * 1_000_000 + "y"
    pages.turn_to(BYTES)
    assert pages.bytes.rowCount() == 62_501
    assert rows(pages.bytes)[-1] == ("000f4240", "0a 79", "·y")
    assert broken("a\n\nb" * 2_000).count("\n\n") == 2_000


def test_text_is_told_from_bytes() -> None:
    euro = "€".encode()
    assert [is_text(one) for one in (b"", b"abc", euro, euro[:2], b"a\0b", b"\xff" * 9, euro[:1] + b"x" * 9)] == [
        True, True, True, True, False, False, False,
    ]  # fmt: skip


def test_properties_are_listed_each_by_itself(pages: PayloadPages) -> None:
    properties = Properties("application/json", "reply/to", b"\x01\xfe", 60, (("site", "Kraków"), ("<b>", "\u202e")))
    pages.show_message(line(b"{}", properties=properties, retain=True))
    pages.turn_to(FIELDS)
    told = dict(rows(pages.fields))
    assert told["Content type"] == "application/json"
    assert told["Correlation"] == "01 fe"
    assert told["Expires after"] == "60 s"
    assert told["QoS"] == "1, retained"
    assert told["Property site"] == "Kraków"
    assert told["Property <b>"] == r"\u202e"


# ------------------------------------------------------------ pane


@pytest.fixture
def pane(desk: Desk, shown) -> MessagePane:
    made = MessagePane(desk.source, desk.theme)
    made.resize(700, 400)
    return shown(made)


def test_what_the_list_left_out_of_a_payload_is_asked_for(desk: Desk, pane: MessagePane) -> None:
    whole = json.dumps({"long": "x" * 200_000, "last": 5}).encode()
    desk.source.messages = [message_line(n, desk.now + n, whole) for n in range(3)]
    cut = desk.source.messages[1]._replace(payload=whole[:65_536])
    pane.show_message(cut)
    assert pane.pages.currentIndex() == TEXT  # half a document is none
    request = desk.source.asked[-1]
    assert isinstance(request, MessageRequest)
    assert (request.limit, request.payload_limit) == (1, WHOLE_LIMIT)
    desk.source.answer_all()
    assert pane.message == desk.source.messages[1]
    assert pane.pages.currentIndex() == JSON
    asked = len(desk.source.asked)
    pane.show_message(cut)  # it is shown already
    assert len(desk.source.asked) == asked


def test_a_message_that_is_gone_meanwhile_says_so(desk: Desk, pane: MessagePane) -> None:
    cut = message_line(1, desk.now, b"x" * 100)._replace(size=1_000)
    pane.show_message(cut)
    desk.source.answer_all()
    assert "retention has removed it" in pane._how.text()
    desk.source.problem = Problem("query.failed", {"detail": "Oops"})
    pane.show_message(cut._replace(key=cut.key._replace(seq=2)))
    desk.source.answer_all()
    assert "Oops" in pane._how.text()


def test_only_a_number_can_be_plotted(pane: MessagePane, qtbot: QtBot) -> None:
    pane.show_message(line(b'{"a": "x", "b": 5}'))
    tree = pane.pages.json
    tree.setCurrentIndex(tree.document.index_of(("a",)))
    assert not pane._plot.isEnabled()
    tree.setCurrentIndex(tree.document.index_of(("b",)))
    with qtbot.waitSignal(pane.plot_wanted) as told:
        pane._plot.click()
    assert told.args == [("b",)]
    pane.pages.turn_to(TEXT)
    assert not pane._plot.isEnabled()
