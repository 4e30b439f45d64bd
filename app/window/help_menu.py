"""The Help menu: the guide, what the program is made of, and a file for reports."""

from PySide6.QtCore import QLibraryInfo, QObject, Slot

from models.domain.resources import resource_path
from widgets.common.actions import ActionRegistry
from widgets.common.theme import ThemeHolder
from widgets.frame.main_window import MainWindow


class HelpMenu(QObject):
    """Adds its actions. GUI thread."""

    def __init__(self, window: MainWindow, actions: ActionRegistry, themes: ThemeHolder) -> None:
        super().__init__(window)
        self._window, self._themes = window, themes
        self._guide: QObject | None = None
        actions.add("help.guide", self.tr("&Guide"), self.open_guide, "F1", "info", "Help",
                    tip=self.tr("How everything works, and how agents are connected"))  # fmt: skip
        actions.add("help.about", self.tr("&About Murmurscope"), self.open_about, None, "", "Help",
                    tip=self.tr("Versions and licences"))  # fmt: skip

    @Slot()
    def open_guide(self) -> None:
        """One window of it, brought to the front."""
        from widgets.help.guide_window import GuideWindow

        if not isinstance(self._guide, GuideWindow):
            self._guide = GuideWindow(resource_path("guide"), self._themes, self._window)
        self._guide.show()
        self._guide.raise_()
        self._guide.activateWindow()

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
