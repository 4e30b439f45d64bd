"""The keys whose values are hidden: read from the settings of the workspace, written there, and taken up by the recorder."""

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Slot

from app.settings import SettingsFile
from app.window.recorder_link import RecorderLink
from models.domain.problems import Problem
from widgets.data.hidden_keys_form import HiddenKeysForm


class HiddenKeysController(QObject):
    """One for a window. `show_keys` of the form is called by whoever reads the settings. GUI thread."""

    def __init__(self, form: HiddenKeysForm, link: RecorderLink, settings: SettingsFile, parent: QObject) -> None:
        super().__init__(parent)
        self._form, self._link, self._settings = form, link, settings
        form.wanted.connect(self._keep)

    @Slot(object)
    def _keep(self, keys: tuple[str, ...]) -> None:
        self._link.carry_out(partial(_write, self._settings, keys), partial(self._kept, keys))

    def _kept(self, keys: tuple[str, ...], problem: Problem | None) -> None:
        self._form.show_problem(problem)
        if problem is None:
            self._form.show_keys(keys)
            self._link.wake()


def _write(file: SettingsFile, keys: tuple[str, ...]) -> None:
    """Worker thread: it waits for the disk."""
    file.save(replace(file.load(), hidden_keys=keys))
