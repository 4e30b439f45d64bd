from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from widgets.common.theme import ThemeHolder
from widgets.frame.command_palette import CommandPalette
from widgets.frame.palette_search import PaletteEntry, PaletteSearch

pytestmark = pytest.mark.qt_log_ignore(
    "does not support grabbing the keyboard"
)  # the offscreen platform, for any popup


def entry(title: str, detail: str = "", run: Callable[[], object] = lambda: None) -> PaletteEntry:
    return PaletteEntry(title, title, detail, run)


def titles(search: PaletteSearch, typed: str) -> list[str]:
    return [one.title for one in search.find(typed)]


ENTRIES = [
    entry("Command of the past", "Go"), entry("Full screen", "View"), entry("Custom time range…", "View"),
    entry("crawler-10", "web"), entry("crawler-1", "web"), entry("Keyboard shortcuts", "Help"), entry("Dark theme", "View"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("fu", ["Full screen"]),
        ("range", ["Custom time range…"]),
        ("time custom", ["Custom time range…"]),
        ("crawler-1", ["crawler-1", "crawler-10"]),
        ("WEB 10", ["crawler-10"]),
        ("kbsh", ["Keyboard shortcuts"]),
        ("view dark", ["Dark theme"]),
        ("help", ["Keyboard shortcuts"]),
        ("nothing like this", []),
    ],
)
def test_finds_by_words_in_any_order_and_by_letters(typed: str, first: list[str]) -> None:
    assert titles(PaletteSearch(ENTRIES, []), typed)[: len(first) or None] == first


def test_what_begins_with_the_word_stands_before_what_holds_it() -> None:
    search = PaletteSearch([entry("unscreened"), entry("a screen"), entry("other", "screen"), entry("screen one")], [])
    assert titles(search, "screen") == ["screen one", "a screen", "unscreened", "other"]


def test_what_was_used_last_stands_first_among_equals() -> None:
    search = PaletteSearch(ENTRIES, ["Dark theme", "crawler-10"])
    assert titles(search, "")[:3] == ["Dark theme", "crawler-10", "Command of the past"]
    assert titles(search, "crawler")[0] == "crawler-10"
    assert titles(search, "crawler-1")[0] == "crawler-1", "what is named exactly comes before"


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    made.resize(900, 600)
    qtbot.addWidget(made)
    made.show()
    made.used = []
    return made


@pytest.fixture
def palette(qapp: QApplication, window: QWidget) -> CommandPalette:
    return CommandPalette(ThemeHolder(qapp, "light"), window.used.append, window)


def open_with(palette: CommandPalette, entries: list[PaletteEntry], qtbot: QtBot) -> None:
    palette.open_with(entries, [], lambda text: [entry(f"range {text}")] if text == "2h" else [])
    qtbot.waitExposed(palette)


def current(palette: CommandPalette) -> str:
    return palette.list.currentIndex().data()


def test_is_worked_by_keys_alone(palette: CommandPalette, qtbot: QtBot) -> None:
    ran: list[str] = []
    open_with(palette, [entry(str(n), run=lambda n=n: ran.append(str(n))) for n in range(100)], qtbot)
    line = palette.line
    assert palette.focusWidget() is line
    for key, where in [
        (Qt.Key.Key_Down, "1"), (Qt.Key.Key_Down, "2"), (Qt.Key.Key_Up, "1"), (Qt.Key.Key_Up, "0"), (Qt.Key.Key_Up, "99"),
        (Qt.Key.Key_Down, "0"), (Qt.Key.Key_PageDown, "11"), (Qt.Key.Key_PageUp, "0"),
    ]:  # fmt: skip
        qtbot.keyClick(line, key)
        assert current(palette) == where
    qtbot.keyClicks(line, "42")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert ran == ["42"]
    assert palette.isHidden()
    assert palette.parentWidget().used == ["42"]


def test_a_typed_range_stands_first(palette: CommandPalette, qtbot: QtBot) -> None:
    open_with(palette, [entry("2h of rest")], qtbot)
    qtbot.keyClicks(palette.line, "2h")
    assert current(palette) == "range 2h"


def test_escape_closes_and_it_opens_empty_again(palette: CommandPalette, qtbot: QtBot) -> None:
    open_with(palette, ENTRIES, qtbot)
    qtbot.keyClicks(palette.line, "dark")
    qtbot.keyClick(palette.line, Qt.Key.Key_Escape)
    assert palette.isHidden()
    open_with(palette, ENTRIES, qtbot)
    assert palette.line.text() == ""
    assert palette.parentWidget().used == []


def test_says_when_nothing_fits_and_enter_does_nothing_then(palette: CommandPalette, qtbot: QtBot) -> None:
    open_with(palette, ENTRIES, qtbot)
    qtbot.keyClicks(palette.line, "qqq")
    assert any("Nothing fits" in label.text() for label in palette.findChildren(QLabel))
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert palette.isVisible()


def test_a_click_runs_and_outside_text_is_no_markup(palette: CommandPalette, qtbot: QtBot) -> None:
    ran: list[str] = []
    open_with(palette, [entry("<b>bold</b>", run=lambda: ran.append("bold"))], qtbot)
    assert current(palette) == "<b>bold</b>"
    place = palette.list.visualRect(palette.list.model().index(0, 0)).center()
    qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert ran == ["bold"]


def test_ten_thousand_agents_are_found_without_a_stall() -> None:
    """Work is counted, not time: a search may look at each entry a few times, not at pairs of them."""
    entries = [entry(f"Crawler {n}", f"crawler-{n} · web") for n in range(10_000)]
    search = PaletteSearch(entries, [f"Crawler {n}" for n in range(50)])
    assert titles(search, "crawler 9999") == ["Crawler 9999"]
    assert len(search.find("")) == 10_000
    assert titles(search, "cwlr9998")[0] == "Crawler 9998"
