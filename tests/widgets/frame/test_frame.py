from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtGui import Qt as QtText
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip
from pytestqt.qtbot import QtBot

from models.domain.control import BrokerFigures, Counters, Link, RecorderState
from models.domain.problems import Problem, Severity
from tests.helpers.clock import FakeClock
from widgets.common.actions import ActionRegistry
from widgets.common.theme import ThemeHolder
from widgets.frame.broker_chip import BrokerChip
from widgets.frame.health import HealthReader, Item
from widgets.frame.health_bar import HealthBar
from widgets.frame.main_window import MainWindow
from widgets.frame.notice_bar import Notice, NoticeBar
from widgets.frame.shortcuts_window import ShortcutsWindow
from widgets.frame.time_range import HOUR_US, MINUTE_US
from widgets.frame.time_range_popup import TimeRangePopup

S = 1_000_000


@pytest.fixture
def theme(qapp: QApplication) -> ThemeHolder:
    return ThemeHolder(qapp, "light")


@pytest.fixture
def state(clock: FakeClock) -> RecorderState:
    return RecorderState(
        pid=1, version="0.1", protocol=1, started_by="window", started_us=clock.wall_us() - HOUR_US,
        link=Link.CONNECTED, since_us=clock.wall_us() - 3 * MINUTE_US, broker_url="mqtts://me@broker.example:8883",
        mqtt_version="5", counters=Counters(received=100, stored=100), disk_days=210.4,
    )  # fmt: skip


@pytest.fixture
def window(theme: ThemeHolder, clock: FakeClock, qtbot: QtBot) -> MainWindow:
    made = MainWindow(theme, ActionRegistry(theme), clock)
    qtbot.addWidget(made)
    for name in ("Fleet", "Agent"):
        screen = QWidget()
        column = QVBoxLayout(screen)
        for widget in (QLineEdit(), QPushButton("press"), QCheckBox("tick")):
            widget.setAccessibleName(f"{name} {type(widget).__name__}")
            column.addWidget(widget)
        made.add_screen(name.lower(), name, name.lower(), screen)
    return made


def shown(window: MainWindow, qtbot: QtBot) -> MainWindow:
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


# ------------------------------------------------------------------ broker chip


def test_chip_tells_host_word_and_since(
    theme: ThemeHolder, clock: FakeClock, state: RecorderState, qtbot: QtBot
) -> None:
    chip = BrokerChip(theme, clock)
    qtbot.addWidget(chip)
    assert chip.accessibleName() == "starting…", "nobody knows yet"
    assert chip.property("state") == ""
    chip.show_state(None)
    assert chip.accessibleName() == "no recorder"
    chip.show_state(state)
    assert chip.accessibleName() == "broker.example · connected 3 min"
    clock.advance(2 * HOUR_US)
    chip.refresh()
    assert chip.accessibleName() == "broker.example · connected 2 h"
    assert "mqtts://me@broker.example:8883" in chip.toolTip()
    chip.show_state(replace(state, broker_url="mqtts://me@broker.example:18883"))
    assert chip.accessibleName() == "broker.example:18883 · connected 2 h", "not the usual port"


def test_chip_tells_what_the_broker_tells_of_itself(
    theme: ThemeHolder, clock: FakeClock, state: RecorderState, qtbot: QtBot
) -> None:
    chip = BrokerChip(theme, clock)
    qtbot.addWidget(chip)
    figures = BrokerFigures("mosquitto <b>version</b> 2.0.11", clock.wall_us() - 3 * HOUR_US, 12, 340.4, 1_512.0)
    chip.show_state(replace(state, broker=figures))
    for told in ("version", "It has run for 3 h.", "Clients connected: 12", "Messages a minute: 340 received"):
        assert told in chip.toolTip()
    assert not QtText.mightBeRichText(chip.toolTip())
    chip.show_state(replace(state, broker=BrokerFigures()))
    assert "Clients" not in chip.toolTip()
    chip.show_state(replace(state, broker=figures, link=Link.WAITING))
    assert "Clients" not in chip.toolTip(), "as it was before we lost it"


def test_a_long_name_of_a_broker_makes_the_window_no_wider(window: MainWindow, state: RecorderState) -> None:
    window.show_recorder(replace(state, broker_url=f"mqtts://{'broker' * 9}.example:18883"))
    assert window.broker_chip.sizeHint().width() > 400
    assert window.minimumSizeHint().width() <= 900


def test_chip_counts_down_to_the_next_try(
    theme: ThemeHolder, clock: FakeClock, state: RecorderState, qtbot: QtBot
) -> None:
    chip = BrokerChip(theme, clock)
    qtbot.addWidget(chip)
    problem = {
        "code": "broker.unreachable",
        "params": {"host": "broker.example", "detail": "<b>no route</b>"},
        "retry_at_us": clock.wall_us() + 9 * S,
    }
    chip.show_state(replace(state, link=Link.WAITING, problem=problem))
    assert chip.accessibleName() == "broker.example · not connected, again in 9 s"
    assert chip.property("state") == "warning"
    assert not QtText.mightBeRichText(chip.toolTip()), "outside text is no markup"
    clock.advance(4 * S)
    chip.refresh()
    assert "again in 5 s" in chip.accessibleName()
    chip.show_state(replace(state, link=Link.REFUSED, problem={"code": "of.a.newer.recorder"}))
    assert chip.accessibleName() == "broker.example · refused"
    assert chip.property("state") == "error"
    chip.show_state(replace(state, embedded=True))
    assert chip.accessibleName().startswith("broker on this computer")
    chip.show_state(replace(state, link=Link.IDLE, broker_url=""))
    assert chip.accessibleName() == "no broker chosen"


# ------------------------------------------------------------------ capture health


def test_rate_is_that_of_the_last_seconds(state: RecorderState) -> None:
    reader = HealthReader()
    assert reader.read(state, 0).rate is None
    for second in range(1, 20):
        received = 100 + (1000 * second if second <= 10 else 10_000 + 10 * (second - 10))
        health = reader.read(replace(state, counters=Counters(received=received)), second * S)
        if second == 10:
            assert health.rate == 1000
    assert health.rate == 10


def test_rate_starts_anew_with_a_new_capture(state: RecorderState) -> None:
    reader = HealthReader()
    reader.read(replace(state, counters=Counters(received=10_000)), 0)
    assert reader.read(replace(state, counters=Counters(received=5)), S).rate is None
    assert reader.read(replace(state, pid=2, counters=Counters(received=50)), 2 * S).rate is None
    assert not reader.read(None, 3 * S).recording


@pytest.mark.parametrize(
    ("counters", "disk_days", "wrong"),
    [
        (Counters(received=9, stored=9, duplicates=4), 30.0, set()),
        (Counters(lag_us=1_900_000), None, set()),
        (Counters(lag_us=2_100_000), 2.0, {Item.LAG}),
        (Counters(missing=1), None, {Item.MISSING}),
        (Counters(sessions_lost=1), None, {Item.MISSING}),
        (Counters(dropped=1, unreadable=2), 0.02, {Item.DROPPED, Item.UNREADABLE, Item.DISK}),
    ],
)
def test_wrong_is_what_loses_or_delays(
    state: RecorderState, counters: Counters, disk_days: float | None, wrong: set[Item]
) -> None:
    assert HealthReader().read(replace(state, counters=counters, disk_days=disk_days), 0).wrong == wrong


def test_health_bar_speaks_in_words(theme: ThemeHolder, clock: FakeClock, state: RecorderState, qtbot: QtBot) -> None:
    bar = HealthBar(theme, clock)
    qtbot.addWidget(bar)
    figures = bar.findChildren(QToolButton)

    def texts() -> list[str]:
        return [figure.accessibleName() for figure in figures]

    assert texts()[:2] == ["starting…", "received –/s"]
    assert figures[0].property("state") == ""
    bar.show_state(None)
    assert texts()[:2] == ["not recording", "received –/s"]
    assert figures[0].property("state") == "warning"
    for link, said, wrong in (
        (Link.CONNECTING, "connecting…", ""), (Link.REFUSED, "not connected", "warning"),
        (Link.WAITING, "not connected", "warning"),
    ):  # fmt: skip
        bar.show_state(replace(state, link=link))
        assert (texts()[0], figures[0].property("state")) == (said, wrong)
    bar.show_state(state)
    clock.advance(2 * S)
    bar.show_state(
        replace(state, counters=Counters(received=1100, stored=1000, lag_us=8000, dropped=3), store_bytes=2048)
    )
    assert texts() == [
        "recording", "received 500/s", "stored 1\u202f000", "lag 8 ms", "dropped 3", "missing 0", "unreadable 0",
        "duplicates 0", "keeps 210 days",
    ]  # fmt: skip
    assert [figure.property("state") for figure in figures] == ["", "", "", "", "warning", "", "", "", ""]
    assert all(figure.accessibleDescription() and figure.toolTip() for figure in figures)
    assert "2 KiB" in figures[2].accessibleDescription()
    assert figures[5].isHidden(), "nothing is missing"
    bar.show_state(replace(state, counters=Counters(missing=7)))
    assert not figures[5].isHidden()
    assert texts()[5] == "missing 7"
    bar.show_state(replace(state, counters=Counters(missing=7, sessions_lost=2)))
    assert texts()[5] == "missing 7 or more", "nobody knows what a session held"
    assert "forgot our session, with what it kept for us: 2." in figures[5].accessibleDescription()
    bar.show_state(None)
    assert texts()[0] == "not recording"
    assert texts()[4] == "dropped –"


# ------------------------------------------------------------------ notices


@pytest.fixture
def notices(theme: ThemeHolder, qtbot: QtBot) -> NoticeBar:
    bar = NoticeBar(theme)
    qtbot.addWidget(bar)
    return bar


def button(parent: QWidget, name: str) -> QAbstractButton:
    """The button a person would press by that name."""
    return next(one for one in parent.findChildren(QAbstractButton) if name in (one.accessibleName(), one.text()))


def test_notice_tells_cause_and_way_out_and_acts(notices: NoticeBar, qtbot: QtBot) -> None:
    calls: list[str] = []
    notices.show_problem(Problem("broker.name", {"host": "<i>x</i>"}), "Try now", lambda: calls.append("now"))
    assert notices.accessibleName() == "error: There is no computer named <i>x</i>."
    assert notices.accessibleDescription().startswith("Check the spelling")
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in notices.findChildren(QLabel) if label.text())
    button(notices, "Try now").click()
    assert calls == ["now"]
    button(notices, "Copy this notice").click()
    assert QGuiApplication.clipboard().text().splitlines()[-2:] == ["broker.name", "host: <i>x</i>"]
    button(notices, "Close this notice").click()
    assert notices.keys() == []
    assert notices.isHidden()


def test_worst_notice_is_shown_and_others_wait(notices: NoticeBar) -> None:
    notices.show_problem(Problem("broker.name", {"host": "a"}))
    notices.show_problem(Problem("broker.insecure", {"host": "a"}))
    notices.show_notice(Notice("export", Severity.INFO, "Exported."))
    assert notices.accessibleName().startswith("error")
    turn = button(notices, "Next notice")
    assert turn.text() == "1 of 3"
    turn.click()
    assert notices.accessibleName().startswith("warning")
    notices.clear("broker.insecure")
    assert notices.accessibleName().startswith("error")
    notices.clear("broker.name")
    assert notices.accessibleName() == "information: Exported."
    assert turn.isHidden()


def test_same_matter_is_told_once(notices: NoticeBar) -> None:
    for host in ("a", "b"):
        notices.show_problem(Problem("broker.name", {"host": host}))
    assert notices.keys() == ["broker.name"]
    assert "named b" in notices.accessibleName()


# ------------------------------------------------------------------ the window


def test_screens_are_reached_by_rail_menu_and_keys(window: MainWindow, qtbot: QtBot) -> None:
    shown(window, qtbot)
    assert window.shown_screen == "fleet"
    with qtbot.waitSignal(window.screen_changed):
        qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert window.shown_screen == "agent"
    button(window, "Fleet").click()
    assert window.shown_screen == "fleet"
    assert button(window, "Fleet").isChecked()
    assert not button(window, "Agent").isChecked()


def test_space_pauses_the_view_but_still_presses_buttons_and_writes(window: MainWindow, qtbot: QtBot) -> None:
    shown(window, qtbot)
    screen = (
        window.centralWidget().findChild(QLineEdit, options=Qt.FindChildOption.FindChildrenRecursively).parentWidget()
    )
    line, press = screen.findChild(QLineEdit), screen.findChild(QPushButton)
    pressed: list[bool] = []
    press.clicked.connect(lambda: pressed.append(True))
    window.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert not window.time_range.live
    press.setFocus()
    qtbot.keyClick(press, Qt.Key.Key_Space)
    assert pressed == [True]
    line.setFocus()
    qtbot.keyClicks(line, "a b")
    assert line.text() == "a b"
    assert not window.time_range.live


def test_time_range_is_walked_by_keys_and_shown(window: MainWindow, qtbot: QtBot, clock: FakeClock) -> None:
    shown(window, qtbot)
    back = button(window, "Earlier time range")
    assert not back.isEnabled()
    button(window, "The last 1 h, live").click()
    assert window.time_range.current().span_us == HOUR_US
    button(window, "The last 1 h, live").click()
    assert button(window, "The last 1 h, live").isChecked()
    window.time_range.zoom(clock.wall_us() - HOUR_US, clock.wall_us() - MINUTE_US)
    assert button(window, "Paused").text().strip("\u2009") == "Paused"
    assert not button(window, "The last 1 h, live").isChecked()
    qtbot.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert window.time_range.live
    qtbot.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert window.time_range.current().span_us == 15 * MINUTE_US
    assert not back.isEnabled()
    qtbot.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert window.time_range.current().span_us == HOUR_US


def test_range_is_copied_and_pasted_as_text(window: MainWindow, qtbot: QtBot) -> None:
    shown(window, qtbot)
    QGuiApplication.clipboard().setText("live 6h")
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window, Qt.Key.Key_V, keys)
    assert window.time_range.as_text() == "live 6h"
    QGuiApplication.clipboard().setText("whenever")
    qtbot.keyClick(window, Qt.Key.Key_V, keys)
    assert window.time_range.as_text() == "live 6h"
    assert window.notices.keys() == ["time.unreadable"]
    qtbot.keyClick(window, Qt.Key.Key_R, keys)
    assert QGuiApplication.clipboard().text() == "live 6h"


@pytest.mark.qt_log_ignore("does not support grabbing the keyboard")  # the offscreen platform, for any popup
def test_popup_takes_both_ends_and_refuses_nonsense(window: MainWindow, qtbot: QtBot, clock: FakeClock) -> None:
    shown(window, qtbot)
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    popup = window.findChild(TimeRangePopup)
    since, until = popup.findChildren(QAbstractSpinBox)[:2]
    since.setDateTime(since.dateTime().addSecs(-3600))  # type: ignore[attr-defined]
    button(popup, "Show this range").click()
    assert popup.isHidden()
    assert window.time_range.current().since_us == clock.wall_us() - 15 * MINUTE_US - HOUR_US
    assert window.time_range.current().until_us == clock.wall_us()
    popup.open_below(window)
    until.setDateTime(since.dateTime().addSecs(-1))  # type: ignore[attr-defined]
    button(popup, "Show this range").click()
    assert not popup.isHidden()
    text = next(one for one in popup.findChildren(QLineEdit) if one.accessibleName() == "Time range as text")
    text.setText("never")
    qtbot.keyClick(text, Qt.Key.Key_Return)
    assert not popup.isHidden()
    text.setText("live 7d")
    qtbot.keyClick(text, Qt.Key.Key_Return)
    assert popup.isHidden()
    assert window.time_range.as_text() == "live 7d"


def test_a_wide_screen_that_was_left_takes_no_room_from_the_side_panel(window: MainWindow, qtbot: QtBot) -> None:
    wide = QWidget()
    wide.setMinimumWidth(1_100)
    window.add_screen("wide", "Wide", "data", wide)
    shown(window, qtbot)
    window.show_screen("wide")
    qtbot.waitUntil(lambda: window.minimumSizeHint().width() > 1_100)
    window.show_screen("fleet")
    qtbot.waitUntil(lambda: window.minimumSizeHint().width() <= 900)


def test_side_panel_opens_changes_and_closes_with_escape(window: MainWindow, qtbot: QtBot) -> None:
    shown(window, qtbot)
    first, second = QLabel("first"), QLabel("second")
    qtbot.addWidget(first)
    window.set_side_panel(first)
    assert first.isVisible()
    window.set_side_panel(second)
    assert not first.isVisible()
    assert second.isVisible()
    with qtbot.waitSignal(window.side_panel_closed):
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.side_panel is None
    assert not second.isVisible()
    second.deleteLater()


def test_layout_comes_back(window: MainWindow, theme: ThemeHolder, clock: FakeClock, qtbot: QtBot) -> None:
    shown(window, qtbot)
    window.resize(window.minimumSizeHint().width(), 555)
    window.show_screen("agent")
    window.time_range.show_last(HOUR_US)
    theme.choose("dark")
    saved = window.save_layout()
    theme.choose("light")
    other = MainWindow(theme, ActionRegistry(theme), clock)
    qtbot.addWidget(other)
    for name in ("fleet", "agent"):
        other.add_screen(name, name, name, QWidget())
    other.restore_layout(saved)
    assert other.height() == 555  # the offscreen screen is narrower than the window
    assert other.shown_screen == "agent"
    assert other.time_range.as_text() == "live 1h"
    assert theme.choice == "dark"
    other.restore_layout({"geometry": "ą", "screen": "gone", "theme": 5, "range": "live never"})
    assert other.shown_screen == "agent"


def test_every_control_has_a_name(window: MainWindow, state: RecorderState, qtbot: QtBot) -> None:
    window.show_recorder(state)
    shown(window, qtbot)
    nameless = [
        one.metaObject().className()
        for one in window.findChildren(QWidget)
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.isVisible()
        and not one.accessibleName()
        and not (isinstance(one, QAbstractButton) and one.text())
    ]
    assert nameless == []


def test_no_two_menu_entries_of_a_menu_share_a_mnemonic(window: MainWindow) -> None:
    for top in window.menuBar().actions():
        texts = [action.text() for action in top.menu().actions()]
        marks = [text[text.index("&") + 1].lower() for text in texts if "&" in text]
        assert len(marks) == len(set(marks)), texts


def test_shortcuts_window_finds_and_runs(window: MainWindow, qtbot: QtBot) -> None:
    shown(window, qtbot)
    window._show_shortcuts()
    listed = window.findChild(ShortcutsWindow)
    line = listed.findChild(QLineEdit)
    line.setText("live or")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert not window.time_range.live


def test_theme_is_switched_by_its_button_and_ticked_in_the_menu(window: MainWindow, theme: ThemeHolder) -> None:
    button(window, "Light or dark").click()
    assert theme.theme.dark
    ticked = [one.text() for one in window.menuBar().actions()[2].menu().actions() if one.isChecked()]
    assert ticked == ["Dark theme"]


def test_quit_stays_last_in_its_menu(window: MainWindow) -> None:
    window._actions.add("file.connect", "&Connect to a broker…", lambda: None, menu="File")
    assert [one.text() for one in window.menuBar().actions()[0].menu().actions()] == [
        "&Connect to a broker…",
        "",
        "&Quit",
    ]
