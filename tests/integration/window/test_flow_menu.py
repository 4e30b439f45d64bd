"""What Flow does stands in the View menu as well, and is off where nothing fits."""

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.window.flow_menu import FlowMenu
from tests.widgets.conftest import Desk
from tests.widgets.fakes import AGENT
from tests.widgets.flow.test_flow_screen import Told
from widgets.common.actions import ActionRegistry
from widgets.flow.flow_screen import FlowScreen
from widgets.records.agent_names import AgentNames


@pytest.fixture
def desk(qapp: QApplication, clock) -> Desk:
    return Desk(qapp, clock)


def test_actions_fit_what_is_chosen(desk: Desk, qtbot: QtBot) -> None:
    Told(desk)
    window = QWidget()
    qtbot.addWidget(window)
    actions = ActionRegistry(desk.theme)
    menu = FlowMenu(actions, window)

    def enabled() -> set[str]:
        return {one.id.removeprefix("flow.") for one in actions.entries() if one.action.isEnabled()}

    assert enabled() == set()
    screen = FlowScreen(desk.context, AgentNames(desk.source), refresh_ms=0)
    menu.attach(screen)
    qtbot.addWidget(screen)
    with qtbot.waitExposed(screen):
        screen.show()
    desk.source.answer_all()
    always = {"replay", "by-group", "save"}
    assert enabled() == always
    screen.views.graph.chosen.emit(AGENT, 8)
    desk.source.answer_all()
    assert enabled() == always | {"conversation", "hide"}
    actions["flow.conversation"].trigger()
    assert screen.conversation.isVisible()
    screen.conversation.close()
    actions["flow.hide"].trigger()
    assert enabled() == always | {"show-hidden"}
    actions["flow.show-hidden"].trigger()
    assert enabled() == always
    assert len(screen.views.graph.pairs) == 4
    screen.filter.setText("planner")
    assert enabled() == always | {"show-hidden"}
    actions["flow.replay"].trigger()
    assert screen.replay.isVisible()
    actions["flow.replay"].trigger()
    assert screen.replay.isHidden()
    actions["flow.by-group"].trigger()
    assert screen.grouped.isChecked()
    with qtbot.waitSignal(desk.context.outlet.dataset_wanted) as told:
        actions["flow.save"].trigger()
    now = desk.context.times.current()
    assert (told.args[0].since_us, told.args[0].until_us, told.args[1]) == (now.since_us, now.until_us, "interactions")
    screen.hide()
    assert enabled() == set()
