"""What the window has of its workspace, whatever is shown: the recorder, history, the live rows, and who works with them."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.password_store import PasswordStore
from app.queries_file import QueriesFile
from app.settings import SettingsFile
from app.templates import TemplatesFile
from app.window.connection_controller import ConnectionController
from app.window.data_source import HistorySource
from app.window.passwords import Passwords
from app.window.publish_controller import PublishController
from app.window.query_controller import QueryController
from app.window.recorder_notices import RecorderNotices
from app.window.recorder_parts import no_recorder_link, recorder_link
from app.window.rules_controller import RulesController
from app.window.tail_source import TailSource
from app.window.tail_watch import TailWatch
from models.domain.clock import Clock
from models.storage.history.fleet import FleetHistory
from models.storage.history.flow import FlowHistory
from models.storage.history.reader import HistoryReader
from models.storage.history.tail_reader import TailReader
from models.storage.workspace import Workspace
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow


class WorkspaceParts(QObject):
    """Nothing runs before `start`. `shutdown` before the application ends. GUI thread."""

    def __init__(
        self,
        workspace: Workspace,
        window: MainWindow,
        clock: Clock,
        themes: ThemeHolder,
        open_connection: Callable[[], object],
        *,
        read_only: bool,
        demo: bool,
    ) -> None:
        """`read_only`: it is only looked at, and has no recorder."""
        super().__init__(window)
        self.workspace, self.clock, self.read_only, self.demo = workspace, clock, read_only, demo
        settings = SettingsFile(workspace.settings)
        self.link = no_recorder_link(self) if read_only else recorder_link(workspace, clock, self)
        self.link.state_changed.connect(window.show_recorder)
        self._passwords = Passwords(PasswordStore(), self)
        self.connection = ConnectionController(self.link, settings, self._passwords, themes, window)
        self.link.state_changed.connect(self.connection.recorder_told)
        self.notices = RecorderNotices(window.notices, self.link, open_connection, self, demo=demo)
        fleet, flow = FleetHistory(clock), FlowHistory()
        self.source = HistorySource(lambda: HistoryReader(workspace, clock, fleet, flow), clock, self)
        self.tail = TailSource(lambda: TailReader(workspace), clock, self)
        self._watch = TailWatch(window, self.tail)
        tell = window.notices.show_problem
        self.publishing = PublishController(
            self.link, self.source, settings, TemplatesFile(workspace.templates), tell, window
        )
        self.queries = QueryController(self.link, QueriesFile(workspace.queries), tell, self)
        self.rules = RulesController(self.link, self.source, workspace, clock, themes, window)

    def start(self) -> None:
        """Follow what is recorded, and look after a recorder."""
        self.tail.start()
        self.link.start()

    def shutdown(self) -> None:
        """A recorder that runs for windows only ends by itself."""
        for part in (self.rules, self.tail, self.source, self.link, self._passwords):
            part.shutdown()
