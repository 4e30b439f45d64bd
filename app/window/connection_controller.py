"""What the connection dialog asks for: connection tests, saving, the password's place, and telling the recorder."""

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from app.settings import SettingsFile
from app.window.passwords import Passwords
from app.window.recorder_link import RecorderLink
from models.domain.connection import Connection, Secret
from models.domain.control import RecorderState
from models.domain.problems import EnvironmentProblem, Problem
from widgets.common.theme import ThemeHolder
from widgets.connection.connection_dialog import ConnectionDialog


class ConnectionController(QObject):
    """Shows the dialog, one at a time. GUI thread.

    A password goes to the recorder for this session; the keyring gets it only where the dialog says so.
    """

    def __init__(
        self, link: RecorderLink, settings: SettingsFile, passwords: Passwords, themes: ThemeHolder, window: QWidget
    ) -> None:
        super().__init__(window)
        self._link, self._settings, self._passwords = link, settings, passwords
        self._themes, self._window = themes, window
        self._dialog: ConnectionDialog | None = None
        self._saving: tuple[Connection | None, Secret | None, bool] = (None, None, False)
        self._held = ""  # address of the broker whose password the keyring has, as far as was asked
        self._handed: tuple[int, str] = (0, "")  # the recorder and the broker that a kept password was handed to

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

    @Slot(object)
    def recorder_told(self, state: RecorderState | None) -> None:
        """A recorder that could not ask the keyring itself gets the password from here, once."""
        if state is None or not any(one.get("code") == "keyring.unread" for one in state.warnings):
            return
        if self._handed != (state.pid, state.broker_url):
            self._handed = (state.pid, state.broker_url)
            self._passwords.get(state.broker_url, partial(self._hand_over, state.broker_url))

    def _hand_over(self, url: str, secret: Secret | None, _problem: Problem | None) -> None:
        if secret is not None:
            self._link.secret(secret.value, url)

    def _fill(self, dialog: ConnectionDialog) -> None:
        self._held = ""
        try:
            settings = self._settings.load()
        except EnvironmentProblem as error:
            dialog.show_connection(None, embedded=False)
            dialog.show_problem(error.problem)
            self._passwords.check(partial(self._keyring_found, "", None))
            return
        # somebody who opens this with the built-in broker in use wants another one, so his fields are ready
        dialog.show_connection(settings.connection, embedded=False)
        if settings.connection is not None and settings.connection.user:
            self._passwords.get(settings.connection.url, partial(self._keyring_found, settings.connection.url))
        else:
            self._passwords.check(partial(self._keyring_found, "", None))

    def _keyring_found(self, url: str, secret: Secret | None, problem: Problem | None) -> None:
        assert self._dialog is not None
        if problem is not None:
            self._dialog.form.keyring.show_problem(problem)
            return
        self._held = url if secret is not None else ""
        self._dialog.form.show_keyring(self._held)

    @Slot(object, object)
    def _test(self, connection: Connection, secret: Secret | None) -> None:
        if secret is None and connection.url == self._held:
            self._passwords.get(connection.url, lambda kept, _problem: self._test_with(connection, kept))
        else:
            self._test_with(connection, secret)

    def _test_with(self, connection: Connection, secret: Secret | None) -> None:
        assert self._dialog is not None
        self._link.test_connection(connection, secret, self._dialog.step_told, self._dialog.test_ended)

    # ------------------------------------------------------------ saving

    @Slot(object, object, bool)
    def _save(self, connection: Connection | None, secret: Secret | None, keep: bool) -> None:
        self._saving = (connection, secret, keep)
        self._link.carry_out(partial(_write, self._settings, connection), self._saved)

    def _saved(self, problem: Problem | None) -> None:
        assert self._dialog is not None
        if problem is not None:
            self._dialog.show_problem(problem)
            return
        (connection, secret, keep), self._saving = self._saving, (None, None, False)
        if connection is None:
            self._link.wake()
            self._dialog.accept()
            return
        if keep and secret is None:
            self._dialog.show_waiting()
            self._passwords.get(connection.url, partial(self._connect_with, connection.url))
            return
        self._link.secret(secret.value if secret is not None else "", connection.url)
        self._link.wake()
        if keep and secret is not None:
            self._dialog.show_waiting()
            self._passwords.put(connection.url, secret, self._kept)
        elif connection.url == self._held:
            self._dialog.show_waiting()
            self._passwords.remove(connection.url, self._kept)
        else:
            self._dialog.accept()

    def _connect_with(self, url: str, secret: Secret | None, problem: Problem | None) -> None:
        self._link.secret(secret.value if secret is not None else "", url)
        self._link.wake()
        self._kept(problem)

    def _kept(self, problem: Problem | None) -> None:
        assert self._dialog is not None
        if problem is None:
            self._dialog.accept()
        else:
            self._dialog.show_not_kept(problem)


def _write(file: SettingsFile, connection: Connection | None) -> None:
    """Worker thread: it waits for the disk."""
    settings = file.load()
    if connection is None:  # what was connected before stays for the day somebody goes back to it
        file.save(replace(settings, embedded=True))
    else:
        file.save(replace(settings, embedded=False, connection=connection))
