"""The field that chooses one agent, or everybody."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget
from pytestqt.qtbot import QtBot

from tests.widgets.conftest import Desk
from tests.widgets.fakes import AGENT
from widgets.records.agent_names import AgentField, AgentNames

OTHER, PLANNER = 8, 9
# the list that opens under a field while one types is no window of a real desktop here
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support grabbing the keyboard", extend=True)


@pytest.fixture
def names(desk: Desk) -> AgentNames:
    found = AgentNames(desk.source)
    found.refresh()
    desk.source.answer_all()
    return found


@pytest.fixture
def field(names: AgentNames, shown: Callable[[QWidget], QWidget]) -> AgentField:
    one = AgentField(names)
    shown(one)
    return one


def type_agent(field: AgentField, qtbot: QtBot, text: str) -> None:
    line = field.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)


@pytest.mark.parametrize(("typed", "agent"), [("two", OTHER), ("CRAWLER-2", OTHER), ("Planner", PLANNER), ("crawler-1", AGENT)])  # fmt: skip
def test_an_agent_is_found_by_any_part_of_its_name_or_id(
    field: AgentField, qtbot: QtBot, typed: str, agent: int
) -> None:
    chosen: list[int] = []
    field.chosen.connect(chosen.append)
    type_agent(field, qtbot, typed)
    assert (field.agent, chosen) == (agent, [agent])
    type_agent(field, qtbot, "")  # nothing chosen
    field.lineEdit().clear()
    qtbot.keyClick(field.lineEdit(), Qt.Key.Key_Return)
    assert (field.agent, chosen) == (0, [agent, 0])


def test_what_fits_several_agents_or_none_changes_nothing(field: AgentField, qtbot: QtBot) -> None:
    chosen: list[int] = []
    field.chosen.connect(chosen.append)
    for typed in ("crawler", "nobody"):
        type_agent(field, qtbot, typed)
        assert field.currentText() == "All agents"
    assert chosen == []


def test_a_new_agent_comes_into_the_list_while_somebody_types(
    field: AgentField, names: AgentNames, desk: Desk, qtbot: QtBot
) -> None:
    line = field.lineEdit()
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "wri")
    desk.source.names[12] = ("writer-1", "writer-1")
    names.refresh()
    desk.source.answer_all()
    assert line.text().startswith("wri")
    assert field.findText("writer-1") > 0


def test_a_place_in_the_window_costs_no_look_at_every_agent(field: AgentField, names: AgentNames) -> None:
    """With thousands of agents, every such look kept the window waiting."""
    measured: list[int] = []

    class Measured(QStyledItemDelegate):
        def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
            measured.append(index.row())
            return super().sizeHint(option, index)

    field.view().setItemDelegate(Measured(field))
    measured.clear()
    field.view().doItemsLayout()
    field.view().visualRect(field.model().index(2, 0))
    assert len(names.agents) >= 3
    assert len(set(measured)) == 1
