"""What the connection dialog asks for: connection tests, saving, and telling the recorder."""

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from app.settings import SettingsFile
from app.window.recorder_link import RecorderLink
from models.domain.connection import Connection, Secret
from models.domain.problems import EnvironmentProblem, Problem
from widgets.common.theme import ThemeHolder
from widgets.connection.connection_dialog import ConnectionDialog


class ConnectionController(QObject):
    """Shows the dialog, one at a time. GUI thread."""

    def __init__(self, link: RecorderLink, settings: SettingsFile, themes: ThemeHolder, window: QWidget) -> None:
        super().__init__(window)
        self._link, self._settings, self._themes, self._window = link, settings, themes, window
        self._dialog: ConnectionDialog | None = None
        self._saving: tuple[Connection | None, Secret | None] = (None, None)

    @Slot()
    def open(self) -> None:
        """Bring the dialog up, filled with what is in force."""
        if self._dialog is None:
            self._dialog = ConnectionDialog(self._themes, self._window)
            self._dialog.test_requested.connect(self._test)
            self._dialog.save_requested.connect(self._save)
        if not self._dialog.isVisible():
            self._fill(self._dialog)
        self._dialog.show()
        self._dialog.raise_()
        self._dialog.activateWindow()

    @property
    def dialog(self) -> ConnectionDialog | None:
        """The dialog, once it was opened."""
        return self._dialog

    def _fill(self, dialog: ConnectionDialog) -> None:
        try:
            settings = self._settings.load()
        except EnvironmentProblem as error:
            dialog.show_connection(None, embedded=False)
            dialog.show_problem(error.problem)
            return
        # somebody who opens this with the built-in broker in use wants another one, so his fields are ready
        dialog.show_connection(settings.connection, embedded=False)

    @Slot(object, object)
    def _test(self, connection: Connection, secret: Secret | None) -> None:
        assert self._dialog is not None
        self._link.test_connection(connection, secret, self._dialog.step_told, self._dialog.test_ended)

    @Slot(object, object)
    def _save(self, connection: Connection | None, secret: Secret | None) -> None:
        self._saving = (connection, secret)
        self._link.carry_out(partial(_write, self._settings, connection), self._saved)

    def _saved(self, problem: Problem | None) -> None:
        assert self._dialog is not None
        if problem is not None:
            self._dialog.show_problem(problem)
            return
        (connection, secret), self._saving = self._saving, (None, None)
        if connection is not None:
            self._link.secret(secret.value if secret is not None else "", connection.url)
        self._link.wake()
        self._dialog.accept()


def _write(file: SettingsFile, connection: Connection | None) -> None:
    """Worker thread: it waits for the disk."""
    settings = file.load()
    if connection is None:  # what was connected before stays for the day somebody goes back to it
        file.save(replace(settings, embedded=True))
    else:
        file.save(replace(settings, embedded=False, connection=connection))
