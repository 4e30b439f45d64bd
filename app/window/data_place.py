"""The data screen and its controller, made when they are first wanted: by the rail, by a menu, or by a file that is dropped
onto the window."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QEvent, QMimeData, QObject, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent

from app.window.asking import Asking, LastFolder
from app.window.job_queue import JobQueue
from app.window.latest_work import LatestWork
from app.window.pictures_at_hand import Pictures, keep_pictures
from app.window.places import DATA
from app.window.recorder_link import RecorderLink
from app.window.screen_place import ScreenPlace
from app.window.taking_out import TakingOut
from models.domain.problems import Problem
from models.domain.queries import RowKey
from models.domain.sparkplug_nodes import SparkplugNode
from models.storage.workspace import Workspace
from widgets.frame.main_window import MainWindow
from widgets.frame.screen_context import ScreenContext
from widgets.records.agent_names import AgentNames

if TYPE_CHECKING:  # loaded when the screen is first wanted
    from app.window.data_controller import DataController
    from app.window.reread_controller import RereadController
    from widgets.data.data_screen import DataScreen


class DataParts(NamedTuple):
    """What the screen is made of."""

    workspace: Workspace
    context: ScreenContext
    link: RecorderLink
    names: AgentNames
    show_message: Callable[[RowKey], object]
    teach: Callable[[RowKey], object]
    ask_births: Callable[[list[SparkplugNode]], object]
    pictures: Callable[[], Pictures]
    read_only: bool = False


class DataPlace(QObject):
    """GUI thread."""

    def __init__(
        self,
        window: MainWindow,
        place: ScreenPlace,
        parts: DataParts,
        looked_at: Callable[[], tuple[str, int]],
        agents_at_hand: Callable[[], list[str]],
        last_folder: str = "",
        asking: Asking | None = None,
    ) -> None:
        """`looked_at` names the dataset and the agent (0: all) that the shown screen is about, `agents_at_hand` the ids of those
        that are selected (none: all)."""
        super().__init__(window)
        self._window, self._place, self._parts, self._looked_at = window, place, parts, looked_at
        self._agents_at_hand = agents_at_hand
        self._asking = asking or Asking(window)
        self._pictures: TemporaryDirectory[str] | None = None
        self.controller: DataController | None = None
        self.screen: DataScreen | None = None
        self.rereading: RereadController | None = None
        context = parts.context
        self.folder = LastFolder(last_folder)
        self._work = LatestWork(self)
        self._queue = JobQueue(parts.workspace, parts.link, context.clock, self)
        self.out = TakingOut(window, context.outlet, lambda: self._asking, self.folder, self._queue, context.themes)
        window.screen_changed.connect(self._screen_changed)
        window.setAcceptDrops(not parts.read_only)
        window.installEventFilter(self)

    def shutdown(self) -> None:
        """Cancel what runs."""
        self._work.shutdown()
        self.out.shutdown()
        self._queue.shutdown()
        if self.controller is not None:
            self.controller.shutdown()
        if self._pictures is not None:
            self._pictures.cleanup()

    @Slot()
    def refresh(self) -> None:
        """Ask for everything that is seen again."""
        if self.screen is not None:
            self.screen.refresh()

    @Slot()
    def export(self) -> None:
        """Offer to export what is looked at."""
        dataset, agent = self._looked_at()
        screen, _ = self._made()
        screen.show_work().export.prefill(dataset, agent)
        self._window.show_screen(DATA)

    @Slot()
    def save_picture(self) -> None:
        """Keep a picture of the screen that is shown."""
        shown = self._window.shown_widget
        self.out.save_screen(shown, shown.accessibleName())

    @Slot()
    def save_incident(self) -> None:
        """Put what the time range shows of the agents at hand into one file, with pictures of the window as it is."""
        if self._pictures is None:
            self._pictures = TemporaryDirectory(prefix="murmurscope-")
        folder = Path(self._pictures.name) / str(self._parts.context.clock.wall_us())
        keep = partial(keep_pictures, self._parts.pictures(), folder)
        self._work.want("incident", keep, partial(self._pictures_kept, self._agents_at_hand()))

    def _pictures_kept(self, agents: list[str], kept: list[str] | Problem) -> None:
        if isinstance(kept, Problem):
            self._window.notices.show_problem(kept)
            return
        screen, controller = self._made()
        controller.save_incident(agents, kept)
        screen.show_work()

    @Slot()
    def ask_files(self) -> None:
        """Choose recordings or backups and import them."""
        _, controller = self._made()
        self._window.show_screen(DATA)
        controller.ask_files()

    @Slot()
    def ask_folder(self) -> None:
        """Choose another workspace and import it."""
        _, controller = self._made()
        self._window.show_screen(DATA)
        controller.ask_folder()

    @Slot()
    def show_missing(self) -> None:
        """What was not read, or did not come."""
        screen, _ = self._made()
        screen.show_missing()
        self._window.show_screen(DATA)

    @Slot()
    def verify(self) -> None:
        """Check every file."""
        screen, controller = self._made()
        screen.show_work()
        self._window.show_screen(DATA)
        controller.queue.verify()

    @Slot()
    def ask_reread(self) -> None:
        """Ask which history shall be read again."""
        self._made()
        assert self.rereading is not None
        self.rereading.ask()

    def import_files(self, paths: list[str]) -> None:
        """Import these together."""
        _, controller = self._made()
        self._window.show_screen(DATA)
        controller.import_files(paths)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Files that are dropped onto the window are imported."""
        if isinstance(event, QDragEnterEvent) and _files(event.mimeData()):
            event.acceptProposedAction()
            return True
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop and (paths := _files(event.mimeData())):
            event.acceptProposedAction()
            self.import_files(paths)
            return True
        return super().eventFilter(watched, event)

    @Slot(str)
    def _screen_changed(self, screen: str) -> None:
        if screen == DATA:
            self._made()

    def _made(self) -> "tuple[DataScreen, DataController]":
        from app.settings import SettingsFile
        from app.window.data_controller import DataController
        from app.window.reread_controller import RereadController
        from widgets.data.data_screen import DataScreen

        if self.screen is None or self.controller is None:
            parts, window = self._parts, self._window
            self.screen = DataScreen(parts.context, parts.names)
            self.screen.message_wanted.connect(parts.show_message)
            self.screen.teach_wanted.connect(parts.teach)
            self.screen.births_wanted.connect(parts.ask_births)
            settings = SettingsFile(parts.workspace.settings)
            queue = self._queue
            self.controller = DataController(
                window, self.screen, parts.context.source, parts.link, settings, queue, self._asking, self.folder
            )
            self.rereading = RereadController(window, self.screen, parts.link, queue, read_only=parts.read_only)
            if parts.read_only:
                self.screen.show_reading()
            self._place.fill(self.screen)
        return self.screen, self.controller


def _files(dropped: QMimeData) -> list[str]:
    return [url.toLocalFile() for url in dropped.urls() if url.isLocalFile()]
