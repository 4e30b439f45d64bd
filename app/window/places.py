"""The places of the screens in the window, in the order of the rail, and what they say before the screens are there."""

from PySide6.QtCore import QCoreApplication

from app.window.screen_place import ScreenPlace
from models.storage.workspace import Workspace
from widgets.common.state_view import StateKind, ViewState, loading
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow

FLEET, AGENT, EXPLORE, LOGS, MESSAGES = "fleet", "agent", "explore", "logs", "messages"
TASKS, FLOW, DATA = "tasks", "flow", "data"
translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def add_places(window: MainWindow, themes: ThemeHolder, state: ViewState) -> dict[str, ScreenPlace]:
    """A place for every screen, by id; they show `state` until their screen comes."""
    places = {}
    for screen, title, icon in (
        (FLEET, translate("Places", "Fleet"), "fleet"),
        (AGENT, translate("Places", "Agent"), "agent"),
        (EXPLORE, translate("Places", "Explore"), "plot"),
        (LOGS, translate("Places", "Logs"), "log"),
        (MESSAGES, translate("Places", "Messages"), "message"),
        (TASKS, translate("Places", "Tasks"), "task"),
        (FLOW, translate("Places", "Flow"), "flow"),
        (DATA, translate("Places", "Data"), "data"),
    ):
        places[screen] = ScreenPlace(themes, state)
        window.add_screen(screen, title, icon, places[screen])
    return places


def opening(done: int, total: int) -> ViewState:
    """A backup or a copied workspace is made ready to look at."""
    sentence = translate("Places", "Opening…")
    if total:
        sentence = translate("Places", "Opening… {share} %").replace("{share}", str(min(99, 100 * done // total)))
    hint = translate("Places", "It is unpacked into a folder of its own, which goes when this window is closed.")
    return ViewState(StateKind.LOADING, sentence, hint)


def waiting(workspace: Workspace, *, live: bool) -> ViewState:
    """What is waited for at the start. Asks the disk."""
    if live and not workspace.catalogue.exists():
        sentence = translate("Places", "The recorder is starting…")
        return ViewState(
            StateKind.LOADING, sentence, translate("Places", "It makes the workspace and looks for a broker.")
        )
    return loading()
