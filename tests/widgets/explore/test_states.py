"""A panel in which nothing is drawn says why, and how to go on."""

import pytest
from PySide6.QtWidgets import QMenu, QWidget

from models.domain.layouts.layout import Kind, Layout, Panel, Plotted
from models.domain.records import GapCause
from tests.widgets.conftest import Desk
from tests.widgets.explore.test_explore_screen import settle
from tests.widgets.fakes import QUEUE, SECOND
from widgets.common.state_view import StateStack, no_match
from widgets.explore.explore_screen import ExploreScreen
from widgets.explore.panel_menu import fill_panel_menu

KINDS = (Kind.PLOT, Kind.DISTRIBUTION, Kind.VALUES, Kind.TABLE, Kind.HEAT)
QUEUE_OF_ONE = Plotted("crawler-1", "queue.depth")
HOUR = 3_600 * SECOND


def said(explore: ExploreScreen, desk: Desk, panel: Panel, agents: tuple[str, ...] = ()) -> str:
    """What screen readers read, which is what stands there."""
    explore.show_layout(Layout(panel, agents))
    explore.refresh()
    settle(desk)
    return explore.panel.body.accessibleDescription()


@pytest.mark.parametrize("kind", KINDS)
def test_a_time_to_come_and_one_without_samples_are_told_apart(explore: ExploreScreen, desk: Desk, kind: Kind) -> None:
    panel = Panel(1, (QUEUE_OF_ONE,), kind=kind)
    desk.range.zoom(desk.now - 2 * HOUR, desk.now - HOUR)
    assert said(explore, desk, panel).startswith("Nothing was measured in this time. ")
    desk.range.zoom(desk.now + HOUR, desk.now + 2 * HOUR)
    assert said(explore, desk, panel) == "This time is yet to come: choose “Live” or another time above"


@pytest.mark.parametrize(
    ("cause", "words"), [(GapCause.RETENTION, "removed as the limits say"), (GapCause.NOT_RECORDING, "No recorder ran")]
)
def test_why_nothing_was_measured_is_told_where_one_reason_covers_all(
    explore: ExploreScreen, desk: Desk, cause: GapCause, words: str
) -> None:
    desk.range.zoom(desk.now - 2 * HOUR, desk.now - HOUR)
    desk.source.gaps = [(desk.now - 5 * HOUR, desk.now, cause, 0, 0)]
    told = said(explore, desk, Panel(1, (QUEUE_OF_ONE,)))
    assert words in told
    assert told.endswith("A double click on the line below shows all of history.")
    desk.source.gaps = [(desk.now - 5 * HOUR, desk.now - 100 * 60 * SECOND, cause, 0, 0)]
    assert words not in said(explore, desk, Panel(1, (QUEUE_OF_ONE,)))


def test_what_a_layout_names_and_nobody_has(explore: ExploreScreen, desk: Desk) -> None:
    gone = Panel(1, (Plotted("gone", "queue.depth"),))
    assert "None of what this panel names" in said(explore, desk, gone)
    assert explore.panel.header.title.text() == "queue.depth"
    cpu = Panel(1, (Plotted(role="cpu"),))
    assert "Choose agents" in said(explore, desk, cpu)
    assert "None of the agents of this layout" in said(explore, desk, cpu, ("gone", "lost"))
    desk.source.headline.clear()
    explore.known.index.headline = {}
    assert "No agent of this layout has such figures" in said(explore, desk, cpu, ("crawler-1",))


def test_what_is_not_here_can_be_removed_from_a_panel_without_curves(explore: ExploreScreen, desk: Desk) -> None:
    said(explore, desk, Panel(1, (Plotted("gone", "a"), Plotted("gone", "b"))))
    menu = QMenu()
    fill_panel_menu(menu, explore, explore.panel)
    (remove,) = [action.menu() for action in menu.actions() if action.text() == "Remove"]
    assert [action.text() for action in remove.actions()][:2] == ["gone a", "gone b"]
    remove.actions()[-1].trigger()
    assert explore.history.layout.root.plotted == ()


def test_an_empty_store_says_that_nobody_was_heard(explore: ExploreScreen, desk: Desk) -> None:
    assert "Drag series here" in explore.panel.body.accessibleDescription()
    desk.source.names.clear()
    explore.known.index.name_agents([], [], [], [])
    explore.desk._tell_states()
    settle(desk)
    assert "No agent was heard yet" in explore.panel.plot._sentence


def test_the_sentence_of_an_empty_list_fits_a_narrow_one(shown, desk: Desk) -> None:
    stack = StateStack(QWidget(), desk.theme)
    stack.setMinimumWidth(180)
    stack.show_state(no_match(lambda: None))
    stack.resize(600, 300)
    shown(stack)
    hint = stack.view._hint
    wide = hint.width()
    stack.resize(180, 300)
    assert hint.width() <= 180 - 2 * 24 < wide
    assert hint.height() >= 2 * hint.fontMetrics().height()


def test_a_table_shows_its_rows_as_soon_as_one_has_a_sample(explore: ExploreScreen, desk: Desk) -> None:
    desk.fill(QUEUE, range(1, 20), 3.0)
    explore.commands.add([QUEUE_OF_ONE, Plotted("crawler-2", "queue.depth")])
    explore.commands.show_as(Kind.TABLE)
    settle(desk)
    table = explore.panel.body.table
    assert [table.records.index(row, 1).data() for row in range(2)] == ["19", "0"]
    assert table.isVisible()
