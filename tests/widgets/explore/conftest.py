"""The Explore screen over history and tail made in memory."""

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QWidget

from tests.widgets.conftest import Desk
from widgets.explore.explore_screen import ExploreScreen
from widgets.records.agent_names import AgentNames


@pytest.fixture
def explore(desk: Desk, shown: Callable[[QWidget], QWidget]) -> ExploreScreen:
    screen = ExploreScreen(desk.context, AgentNames(desk.source), lambda _menu: None)
    screen.resize(1_100, 700)
    shown(screen)
    return screen
