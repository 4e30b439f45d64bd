"""The Help menu: the guide, what the program is made of, and a file for reports."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QLocale, QObject, Slot
from PySide6.QtGui import QGuiApplication

from models.domain.resources import resource_path
from models.storage.workspace import Workspace
from widgets.common.actions import ActionRegistry
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow

if TYPE_CHECKING:  # loaded when they are wanted
    from app.diagnostics.report import Asked
    from app.window.diagnostics import Diagnostics
    from app.window.recorder_link import RecorderLink
    from widgets.help.guide_window import GuideWindow


class HelpMenu(QObject):
    """Adds its actions. GUI thread."""

    def __init__(
        self, window: MainWindow, actions: ActionRegistry, themes: ThemeHolder, workspace: Workspace, log: Path | None
    ) -> None:
        """A diagnostics file tells of this workspace and holds the window's `log`."""
        super().__init__(window)
        self._window, self._themes, self._workspace, self._log = window, themes, workspace, log
        self._link: RecorderLink | None = None
        self._diagnostics: Diagnostics | None = None
        self._guide: QObject | None = None
        actions.add("help.guide", self.tr("&Guide"), self.open_guide, "F1", "info", "Help",
                    tip=self.tr("How everything works, and how agents are connected"))  # fmt: skip
        actions.add("help.diagnostics", self.tr("Save &diagnostics…"), self.open_diagnostics, None, "", "Help",
                    tip=self.tr("A file for a report about a problem, without secrets; you read it before"))  # fmt: skip
        actions.separate("Help")
        actions.add("help.about", self.tr("&About Murmurscope"), self.open_about, None, "", "Help",
                    tip=self.tr("Versions and licences"))  # fmt: skip

    def attach(self, link: "RecorderLink") -> None:
        """Whom to ask about the recorder."""
        self._link = link

    @Slot()
    def open_connecting(self) -> None:
        """The guide, at how agents are connected."""
        self._guide_window().browser.show_page("connect-your-agent.md")

    @Slot()
    def open_guide(self) -> None:
        """One window of it, brought to the front."""
        self._guide_window()

    def _guide_window(self) -> "GuideWindow":
        from widgets.help.guide_window import GuideWindow

        if not isinstance(self._guide, GuideWindow):
            self._guide = GuideWindow(resource_path("guide"), self._themes, self._window)
        self._guide.show()
        self._guide.raise_()
        self._guide.activateWindow()
        return self._guide

    @Slot()
    def open_diagnostics(self) -> None:
        """What goes into the file, to be read and saved."""
        from app.window.diagnostics import Diagnostics

        if self._diagnostics is None:
            self._diagnostics = Diagnostics(self._asked, self._themes, self._window)
        self._diagnostics.open()

    def _asked(self) -> "Asked":
        from app.diagnostics.report import Asked

        known = (self._link.state, self._link.known_secret) if self._link is not None else (None, "")
        return Asked(self._workspace, known[0], window_facts(self._window), self._log, [known[1]])

    @Slot()
    def open_about(self) -> None:
        """Versions and licences."""
        from app.parts import own_licence, parts, versions
        from app.version import VERSION
        from widgets.help.about_dialog import AboutDialog, Licence

        told = versions()
        told.insert(2, ("Qt", QLibraryInfo.version().toString()))
        licences = [Licence("Murmurscope", VERSION, "Apache-2.0", own_licence)]
        licences += [Licence(part.name, part.version, part.licence, part.text) for part in parts()]
        AboutDialog(told, licences, self._window).show()


def window_facts(window: MainWindow) -> list[tuple[str, str]]:
    """Of Qt and the screens, for a report."""
    facts = [
        ("Qt", QLibraryInfo.version().toString()),
        ("Qt platform", QGuiApplication.platformName()),
        ("language", QLocale().name()),
        ("window", f"{window.width()}x{window.height()}, scale {window.devicePixelRatioF():g}"),
    ]
    for number, screen in enumerate(QGuiApplication.screens(), 1):
        size = screen.geometry()
        told = (
            f"{size.width()}x{size.height()}, scale {screen.devicePixelRatio():g}, {screen.logicalDotsPerInch():g} dpi"
        )
        facts.append((f"screen {number}", told))
    return facts
