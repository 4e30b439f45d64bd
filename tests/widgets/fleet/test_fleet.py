"""The fleet screen: who stands where, what the sentence says, and that a hidden screen asks nothing."""

from dataclasses import replace

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QComboBox, QMenu

from models.domain.presence_words import Cause, Condition, Presence
from models.domain.queries import FleetRequest
from tests.helpers.fleet_results import NOW_US, FixedSource, fleet_of
from widgets.common.theme import ThemeHolder
from widgets.fleet.agent_commands import AgentCommands, Target
from widgets.fleet.fleet_item_model import AgentRole, FleetItemModel, HeadingRole, View
from widgets.fleet.fleet_screen import FleetScreen
from widgets.fleet.fleet_state import Column, matches, ordered, severity, summarise
from widgets.fleet.fleet_texts import cell_text, sentence


@pytest.fixture
def theme(qapp: QApplication) -> ThemeHolder:
    return ThemeHolder(qapp, "light")


@pytest.fixture
def make(theme):
    """Makes screens, and ends them at once: one that waits for the garbage collector may be asked half taken apart."""
    made = []

    def make_one() -> FleetScreen:
        made.append(FleetScreen(FixedSource(fleet_of(40, ill=4)), theme, lambda *_: None))
        return made[-1]

    yield make_one
    for one in made:
        one.close()
        shiboken6.delete(one)


@pytest.fixture
def screen(make):
    screen = make()
    screen.resize(1280, 700)
    screen.show()
    return screen


def test_the_worst_stand_first_and_are_named():
    fleet = fleet_of(300, ill=4)
    summary = summarise(fleet)
    assert (summary.total, summary.well, summary.not_well) == (300, 296, 4)
    order = ordered(fleet, np.arange(300), None, descending=False)
    assert [severity(fleet)[row] for row in order[:5]] == [5, 4, 3, 2, 0]
    text = sentence(fleet, summary, connected=True)
    assert text.startswith("296 of 300 well · Indexer 38 offline since ")
    assert text.endswith("(will) · 3 more not well")


def test_of_those_that_fail_the_one_that_fails_most_is_named():
    fleet = fleet_of(10, ill=0)
    finished, failed, since = fleet.finished.copy(), fleet.failed.copy(), fleet.since_us.copy()
    finished[[2, 5]], failed[[2, 5]] = 100, (40, 20)
    since[5] = since[2] + 1
    ill = replace(fleet, finished=finished, failed=failed, since_us=since)
    assert summarise(ill).worst == 2 == ordered(ill, np.arange(10), None, descending=False)[0]


def test_maintenance_and_a_goodbye_are_not_illness():
    fleet = fleet_of(10, ill=1)
    presence = fleet.presence.copy()
    presence[0] = Presence.STOPPED
    until = fleet.maintenance_until_us.copy()
    until[-1] = fleet.at_us + 1
    summary = summarise(replace(fleet, presence=presence, maintenance_until_us=until))
    assert (summary.well, summary.not_well, summary.stopped, summary.maintenance) == (8, 0, 1, 1)


def test_without_connection_nothing_is_claimed():
    fleet = replace(fleet_of(5), presence=np.full(5, Presence.UNKNOWN, np.uint8))
    assert "nothing is known of 5 agents" in sentence(fleet, summarise(fleet), connected=False)


def test_an_empty_fleet_says_what_to_do(screen):
    screen.model.show_fleet(fleet_of(0))
    screen.show_connected(connected=False)
    assert screen._sentence.text() == "Not connected: connect to a broker to see its agents"
    state = screen._stack.view.state
    assert (state.sentence, state.action) == ("No broker is connected", "Connect to a broker…")
    screen.show_connected(connected=True)
    assert screen._stack.view.state.sentence == "No agent has been heard yet"


def test_values_that_are_missing_stand_last_either_way():
    fleet = fleet_of(4)
    cpu = np.array([0.3, np.nan, 0.9, 0.1])
    fleet = replace(fleet, cpu=cpu)
    rows = np.arange(4)
    assert ordered(fleet, rows, Column.CPU, descending=False).tolist() == [3, 0, 2, 1]
    assert ordered(fleet, rows, Column.CPU, descending=True).tolist() == [2, 0, 3, 1]
    assert cell_text(fleet, 1, Column.CPU) == "–"


def test_nothing_finished_is_no_data():
    fleet = fleet_of(1)
    fleet = replace(fleet, finished=np.zeros(1, np.int64), failed=np.zeros(1, np.int64))
    assert cell_text(fleet, 0, Column.ERROR_RATIO) == "–"


def test_names_with_numbers_stand_in_their_order():
    fleet = fleet_of(3)
    fleet = replace(fleet, name=["node 10", "node 9", "Node 1"])
    assert ordered(fleet, np.arange(3), Column.AGENT, descending=False).tolist() == [2, 1, 0]


def test_presence_sorts_the_worst_first_and_of_those_who_went_first() -> None:
    fleet = fleet_of(4)
    fleet.presence[:] = [Presence.OFFLINE, Presence.ONLINE, Presence.OFFLINE, Presence.LATE]
    fleet.since_us[:] = [30, 0, 20, 10]
    assert ordered(fleet, np.arange(4), Column.PRESENCE, descending=False).tolist() == [2, 0, 3, 1]
    assert ordered(fleet, np.arange(4), Column.PRESENCE, descending=True).tolist() == [1, 3, 2, 0]


def test_the_filter_finds_every_word_and_the_group():
    fleet = fleet_of(40, ill=4)
    assert [fleet.id[i] for i in matches(fleet, "PLAN 3", None, only_not_well=False)] == ["planner-3"]
    assert {fleet.group[i] for i in matches(fleet, "", "scout", only_not_well=False)} == {"scout"}
    assert len(matches(fleet, "", None, only_not_well=True)) == 4


def test_the_item_model_keeps_its_promises_to_qt(qtmodeltester):
    model = FleetItemModel()
    model.show_fleet(fleet_of(12, ill=2))
    model.show_view(View(by_group=True))
    qtmodeltester.check(model)


def test_selection_follows_an_agent_through_a_new_order(screen):
    target = int(screen.fleet.agent[7])
    screen.select_agent(target)
    screen.table.horizontalHeader().setSortIndicator(Column.CPU, Qt.SortOrder.DescendingOrder)
    assert screen.table.currentIndex().data(AgentRole) == target
    cpu = screen.fleet.cpu.copy()
    cpu[7] = 2.0
    screen.model.show_fleet(replace(screen.fleet, cpu=cpu))
    assert screen.table.currentIndex().row() == 0
    assert screen.table.currentIndex().data(AgentRole) == target


def test_selection_survives_agents_that_come(screen):
    target = int(screen.fleet.agent[3])
    screen.select_agent(target)
    screen.model.show_fleet(fleet_of(44, ill=4))
    assert screen.table.currentIndex().data(AgentRole) == target


def test_groups_can_be_folded(screen):
    screen.by_group.setChecked(True)
    first = screen.model.index(0, 0)
    assert first.data(HeadingRole) is not None
    rows = screen.model.rowCount()
    screen._fold(first)
    assert screen.model.rowCount() < rows
    assert screen.table.columnSpan(0, 0) == len(Column)


def test_no_match_offers_a_way_back(screen):
    screen._filter.setText("nobody is called so")
    assert not screen._stack.shows_content
    assert screen._stack.view.state.action == "Clear filter"
    screen._stack.view._act()
    assert screen._stack.shows_content
    assert screen.model.rowCount() == 40


def test_a_hidden_screen_asks_nothing(screen):
    screen.hide()
    assert not screen._timer.isActive()
    asked = len(screen._source.asked)
    screen.show_moment(NOW_US - 1)
    assert len(screen._source.asked) == asked
    screen.show()
    assert screen._source.asked[-1] == FleetRequest(NOW_US - 1, with_retired=True)
    assert not screen._timer.isActive(), "the past does not change"


def test_hostile_names_stay_plain(qtbot, theme):
    hostile = "<img src=x>\u202egnp.exe\x07" + "<table>" * 30
    fleet = replace(fleet_of(2), name=[hostile, "ok"], group=[hostile, "g"])
    screen = FleetScreen(FixedSource(fleet), theme, lambda *_: None)
    qtbot.addWidget(screen)
    screen.show()
    text = screen.model.index(screen.model.row_of(1), 0).data()
    assert "\u202e" not in text
    assert "\x07" not in text
    screen.grab()


def test_a_command_names_every_selected_agent(screen, qtbot):
    screen.table.selectAll()
    assert len(screen.selected()) == 40
    commands = AgentCommands(lambda: NOW_US, screen)
    menu = QMenu(screen)
    targets = [
        Target("a", "A", "", "", maintenance=False, retired=False),
        Target("b", "B", "", "", maintenance=True, retired=False),
    ]
    commands.fill(menu, targets)
    with qtbot.waitSignal(commands.requested) as told:
        commands.maintain(1)
    assert told.args[0] == [
        {"do": "agent.maintenance", "agent": "a", "until_us": NOW_US + 3_600_000_000},
        {"do": "agent.maintenance", "agent": "b", "until_us": NOW_US + 3_600_000_000},
    ]


def test_the_columns_share_the_width_until_somebody_arranges_them(make, screen):
    table, header = screen.table, screen.table.horizontalHeader()
    assert header.length() == table.viewport().width()
    screen.resize(1800, 700)
    assert header.length() == table.viewport().width()
    assert not table.arranged
    table.sortByColumn(Column.CPU, Qt.SortOrder.DescendingOrder)
    table.setColumnWidth(Column.AGENT, 333)
    screen.resize(1700, 700)
    assert table.columnWidth(Column.AGENT) == 333
    saved = table.save_columns()
    again = make()
    assert again.table.restore_columns(saved)
    again.resize(1280, 700)
    again.show()
    assert again.table.columnWidth(Column.AGENT) == 333
    assert again.model.view.column is Column.CPU
    assert again.model.view.descending
    again.table.reset_columns()
    assert not again.table.arranged
    assert again.table.horizontalHeader().length() == again.table.viewport().width()


def test_the_presence_is_told_in_as_few_words_as_say_it():
    fleet = fleet_of(5)
    presence, condition = fleet.presence.copy(), fleet.condition.copy()
    presence[:3] = Presence.OFFLINE, Presence.STOPPED, Presence.STOPPED
    condition[3] = Condition.DEGRADED
    cause = [Cause.WILL, Cause.GOODBYE, Cause.STATUS, Cause.STATUS, Cause.STATUS]
    fleet = replace(fleet, presence=presence, condition=condition, cause=cause)
    said = [cell_text(fleet, row, Column.PRESENCE) for row in range(5)]
    pausing = replace(fleet, maintenance_until_us=np.full(5, fleet.at_us + 1))
    assert cell_text(pausing, 0, Column.PRESENCE) == "maintenance (offline)"
    assert cell_text(pausing, 4, Column.PRESENCE) == "maintenance"
    assert said == ["offline · will", "stopped", "stopped · its own word", "degraded", "online"]


def test_retired_agents_are_hidden_until_asked_for_and_can_be_restored(make, screen):
    fleet = fleet_of(40)
    retired = fleet.retired.copy()
    retired[0] = True
    screen._take(replace(fleet, retired=retired))
    assert screen.model.shown == 39
    groups = screen.findChild(QComboBox)
    groups.setCurrentIndex(groups.findText("Retired agents"))
    assert [screen.model.agent_at(row) for row in range(screen.model.rowCount())] == [int(fleet.agent[0])]
    screen._take(replace(fleet, retired=retired))
    assert screen.model.shown == 1
    sent = []
    commands = AgentCommands(lambda: NOW_US, screen)
    commands.requested.connect(sent.extend)
    screen.table.selectAll()
    menu = QMenu()
    commands.fill(menu, screen.selected())
    next(action for action in menu.actions() if action.text().startswith("Restore")).trigger()
    assert sent == [{"do": "agent.retire", "agent": fleet.id[0], "retired": False}]
    groups.setCurrentIndex(groups.findText("planner"))
    assert screen.model.shown == 5


def test_the_first_click_on_figures_brings_the_highest_up_and_the_third_the_worst(qtbot, screen):
    header = screen.table.horizontalHeader()

    def click(column: Column) -> View:
        at = QPoint(header.sectionViewportPosition(column) + 20, header.height() // 2)
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
        return screen.model.view

    assert (click(Column.CPU).column, screen.model.view.descending) == (Column.CPU, True)
    assert (click(Column.CPU).column, screen.model.view.descending) == (Column.CPU, False)
    assert click(Column.CPU).column is None
    assert (click(Column.AGENT).column, screen.model.view.descending) == (Column.AGENT, False)


def test_from_the_filter_enter_leads_to_what_was_found(screen, qtbot):
    screen.show()
    screen.focus_filter()
    qtbot.keyClicks(screen._filter, "crawler")
    qtbot.keyClick(screen._filter, Qt.Key.Key_Return)
    assert screen.focusWidget() is screen.table
    assert [target.group for target in screen.selected()] == ["crawler"]
