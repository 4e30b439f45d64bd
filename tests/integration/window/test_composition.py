from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from app.window import recorder_process
from app.window.composition import Composition, WindowOptions
from app.window.first_paint import FirstPaint
from app.window.places import AGENT, DATA, FLEET, LOGS, MESSAGES
from app.window.recorder_watch import RecorderWatch, Seen
from app.window.shot import bring_up
from models.domain.clock import SystemClock
from models.domain.problems import trouble
from models.storage.workspace import Workspace
from tests.helpers.history_builder import HistoryBuilder, raw


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return Workspace.at(tmp_path / "w")


@pytest.fixture
def history(workspace: Workspace) -> Workspace:
    builder = HistoryBuilder(workspace)
    segment = builder.segment()
    now_us = SystemClock().wall_us()
    for name in ("one", "two"):
        agent = builder.agent(name)
        segment.write(builder.messages([raw(f"agents/{name}/status", at_us=now_us)], agent))
        builder.update_agent_now(agent, presence=1, last_seen_us=now_us, since_us=now_us, cause="status")
    builder.insert_total(1, 1, now_us)
    segment.close()
    builder.close()
    return workspace


@pytest.fixture
def compose(qapp: QApplication, workspace: Workspace) -> Iterator[Callable[..., Composition]]:
    made: list[Composition] = []

    def make(**options: object) -> Composition:
        made.append(Composition(qapp, workspace, WindowOptions(theme="light", **options)))
        return made[-1]

    yield make
    for one in made:
        one.close()
        one.window.close()
        one.window.deleteLater()


def test_is_painted_before_anything_is_read(compose, history, qtbot) -> None:
    one = compose(live=False)
    paint = FirstPaint(one.window)
    seen: list[bool] = []
    paint.painted.connect(lambda: seen.append(one.source is None))
    paint.painted.connect(one.fill)
    one.window.show()
    qtbot.waitUntil(lambda: one.screens is not None and one.screens.fleet.fleet is not None)
    assert seen == [True]
    assert one.screens.fleet.fleet.id == ["one", "two"]
    qtbot.waitUntil(lambda: one.idle)


def test_the_time_range_moves_the_fleet_to_a_moment_and_back(compose, history, qtbot) -> None:
    one = compose(live=False)
    one.window.show()
    one.fill()
    qtbot.waitUntil(lambda: one.screens.fleet.fleet is not None)
    moment_us = one.clock.wall_us() - 3_600_000_000
    one.window.time_range.zoom(moment_us - 60_000_000, moment_us)
    qtbot.waitUntil(lambda: one.screens.fleet.fleet.request.at_us == moment_us)
    one.window.time_range.resume()
    qtbot.waitUntil(lambda: one.screens.fleet.fleet.request.at_us == 0)


def test_layout_comes_back(compose, history) -> None:
    one = compose(live=False)
    one.themes.choose("dark")
    one.window.time_range.show_last(3_600_000_000)
    saved = one.window.save_layout()
    again = compose(live=False, layout=saved)
    assert again.themes.choice == "dark"
    assert again.window.time_range.current().span_us == 3_600_000_000
    assert again.window.shown_screen == FLEET


def test_the_window_waits_for_a_recorder_and_says_what_stands_in_its_way(compose, monkeypatch, qtbot) -> None:
    def refuse(_root: Path) -> None:
        raise trouble("recorder.failing", detail="the disk is on fire")

    monkeypatch.setattr(recorder_process, "start_recorder", refuse)
    one = compose()
    one.window.show()
    one.fill()
    assert one.screens is None
    qtbot.waitUntil(lambda: one.window.notices.keys() == ["recorder"])
    state = one._places[FLEET]._view.state
    assert "the disk is on fire" in state.sentence
    assert one.window.broker_chip.accessibleName() == "no recorder", "it does not just start"
    one.window.show_screen(AGENT)
    assert one.window.shown_screen == AGENT


def test_no_action_does_nothing_before_there_is_a_store(compose, history) -> None:
    one = compose(live=False)
    ids = ("file.export", "file.import", "file.verify")
    assert not any(one._actions[id_].isEnabled() for id_ in ids)
    one.window.show()
    one.fill()
    assert all(one._actions[id_].isEnabled() for id_ in ids)


def test_the_connection_dialog_opens_by_its_action(compose, history, qtbot) -> None:
    one = compose(live=False)
    one.window.show()
    one.fill()
    one._actions["file.connect"].trigger()
    assert one.connection.dialog.isVisible()
    one.connection.dialog.reject()


def test_a_picture_can_be_asked_for_with_an_agent_chosen(compose, history, qtbot) -> None:
    one = compose(live=False)
    one.window.show()
    one.fill()
    qtbot.waitUntil(lambda: one.screens.fleet.fleet is not None)
    assert bring_up(one, "fleet", 0) is one.window
    assert bring_up(one, "connection", 0) is one.connection.dialog


@pytest.fixture
def shown(compose, history, qtbot) -> Composition:
    one = compose(live=False)
    one.window.resize(1200, 700)
    one.window.show()
    one.fill()
    qtbot.waitExposed(one.window)
    qtbot.waitUntil(lambda: one.screens.fleet.fleet is not None)
    return one


def test_the_keys_work_from_the_start_on_whatever_screen_is_shown(shown, qtbot) -> None:
    """The screens come after the window, so the focus waits for them."""

    def focused() -> QWidget | None:
        return shown.window.focusWidget()

    qtbot.keyClick(focused(), Qt.Key.Key_Down)
    assert shown.screens.fleet.table.currentIndex().isValid()
    qtbot.keyClick(focused(), Qt.Key.Key_Return)
    assert shown.window.shown_screen == AGENT
    assert shown.screens.agent.isAncestorOf(focused())
    shown.window.show_screen(MESSAGES)
    qtbot.waitUntil(lambda: focused() is shown.screens.messages.topics.tree)
    shown.window.show_screen(DATA)
    assert shown.data.screen.isAncestorOf(focused())
    shown.window.show_screen(FLEET)
    assert focused() is shown.screens.fleet.table


def test_a_screen_that_comes_late_takes_no_focus_from_where_somebody_works(compose, history, qtbot) -> None:
    one = compose(live=False)
    one.window.show()
    qtbot.waitExposed(one.window)
    one.window.broker_chip.setFocus()
    one.fill()
    assert one.window.focusWidget() is one.window.broker_chip


def click_row(one: Composition, row: int, qtbot, click=None) -> None:
    table = one.screens.fleet.table
    place = table.visualRect(table.model().index(row, 0)).center()
    (click or qtbot.mouseClick)(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_selected_agent_is_told_of_at_the_side_until_that_is_closed(shown, qtbot) -> None:
    shown.screens.fleet.table.setFocus()
    assert shown.window.side_panel is None
    click_row(shown, 1, qtbot)
    panel = shown.screens.panel
    assert shown.window.side_panel is panel
    first = panel.agent
    click_row(shown, 0, qtbot)
    assert panel.agent not in (0, first)
    shown._actions["view.close-panel"].trigger()
    assert shown.window.side_panel is None
    shown.screens.fleet.refresh()
    qtbot.waitUntil(lambda: shown.idle)
    assert shown.window.side_panel is None


def test_enter_opens_an_agent_and_its_screen_leads_back(shown, qtbot) -> None:
    click_row(shown, 0, qtbot)
    chosen = shown.screens.panel.agent
    qtbot.keyClick(shown.screens.fleet.table, Qt.Key.Key_Return)
    assert shown.window.shown_screen == AGENT
    assert shown.window.side_panel is None
    assert shown.screens.agent.agent == chosen
    qtbot.waitUntil(lambda: shown.screens.agent.facts.result is not None)
    assert shown.screens.agent.facts.result.id in ("one", "two")
    shown.screens.agent.fleet_requested.emit()
    assert shown.window.shown_screen == FLEET


def test_the_agent_screen_without_an_agent_says_so(shown) -> None:
    shown.window.show_screen(AGENT)
    assert shown.screens.agent.agent == 0


def test_a_command_that_fails_is_told(shown, qtbot, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_here(_watch: RecorderWatch) -> Seen:
        return Seen(None, None, 0.01)

    monkeypatch.setattr(RecorderWatch, "look", none_here)
    shown.screens.command_requested.emit([{"do": "agent.note", "agent": "one", "note": "x"}])
    shown.link.start()
    qtbot.waitUntil(lambda: "recorder.absent" in set(shown.window.notices.keys()))


def test_find_goes_to_the_filter_of_the_shown_screen(shown, qtbot) -> None:
    composition = shown
    composition._actions["edit.filter"].trigger()
    assert composition.window.focusWidget() is composition.screens.fleet._filter
    composition.screens.open_agent(1)
    composition._actions["edit.filter"].trigger()
    assert composition.window.focusWidget() is composition.screens.agent.logs.search
    composition.window.show_screen(LOGS)
    composition._actions["edit.filter"].trigger()
    assert composition.window.focusWidget() is composition.screens.logs.box.line


def test_from_a_log_record_one_goes_to_its_agent(shown, qtbot) -> None:
    click_row(shown, 0, qtbot)
    shown.window.show_screen(LOGS)
    assert shown.window.side_panel is None, "it tells of the fleet's choice"
    qtbot.waitUntil(lambda: shown.idle)
    assert shown.screens.logs.rows.stack.view.state.sentence == "Nothing has been logged yet"
    shown.screens.logs.rows.stack.view._button.click()
    assert shown._help._guide.browser.source().fileName() == "connect-your-agent.md"
    shown._help._guide.close()
    shown.screens.logs.agent_wanted.emit(2)
    assert shown.window.shown_screen == AGENT
    assert shown.screens.agent.agent == 2


def test_columns_and_side_panel_come_back_and_are_reset_by_an_action(shown, compose, qtbot) -> None:
    table = shown.screens.fleet.table
    table.setColumnWidth(1, 199)
    click_row(shown, 0, qtbot)
    shown.window._splitter.setSizes([700, 500])
    wide = shown.window.side_panel.width()
    shown._actions["view.close-panel"].trigger()
    again = compose(live=False, layout=shown.save_layout())
    again.window.show()
    again.fill()
    qtbot.waitUntil(lambda: again.screens.fleet.fleet is not None)
    again.window.resize(shown.window.size())
    table = again.screens.fleet.table
    assert table.columnWidth(1) == 199
    click_row(again, 0, qtbot)
    qtbot.waitUntil(lambda: abs(again.window.side_panel.width() - wide) <= 2)
    again._actions["view.reset-layout"].trigger()
    assert not table.arranged
    assert again.window.side_panel.width() < wide - 50
