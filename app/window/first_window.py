"""One window per workspace, unless asked for more: starting the program again raises the one that is there."""

import logging
import os
import socket
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from models.storage.workspace import Workspace

ANSWER_LIMIT_S = 1.0
RAISE = b"raise\n"
RAISED = b"raised\n"

log = logging.getLogger(__name__)


def window_socket(workspace: Workspace) -> Path:
    """Where the first window of a workspace listens: beside the control channel."""
    return workspace.socket.with_suffix(".window")


def raise_first_window(workspace: Workspace) -> bool:
    """Ask the window of this workspace to come to the front. False: there is none (or it hangs), be the first."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(ANSWER_LIMIT_S)
            asking.connect(str(window_socket(workspace)))
            asking.sendall(RAISE)
            return asking.recv(len(RAISED)) == RAISED
    except OSError:
        return False


class FirstWindow(QObject):
    """Listens as the first window of a workspace. A second one that was wanted (`--new-window`) does not take its place."""

    raise_requested = Signal()

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        from PySide6.QtNetwork import QLocalServer  # not needed before the first paint

        self._path = window_socket(workspace)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._take)

    def listen(self) -> bool:
        """Take the place, unless a living window has it."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._path.parent.stat().st_uid != os.getuid():
                raise PermissionError(f"{self._path.parent} belongs to somebody else")
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
                asking.settimeout(ANSWER_LIMIT_S)
                if asking.connect_ex(str(self._path)) == 0:
                    return False
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("starting again will not raise this window: %s", error)
            return False
        if not self._server.listen(str(self._path)):
            log.warning("starting again will not raise this window: %s", self._server.errorString())
            return False
        return True

    def close(self) -> None:
        """Leave the place."""
        self._server.close()

    @Slot()
    def _take(self) -> None:
        while (connected := self._server.nextPendingConnection()) is not None:
            connected.readyRead.connect(self._read)
            connected.disconnected.connect(connected.deleteLater)

    @Slot()
    def _read(self) -> None:
        from PySide6.QtNetwork import QLocalSocket

        asking = self.sender()
        assert isinstance(asking, QLocalSocket)
        if asking.canReadLine() and bytes(asking.readLine().data()) == RAISE:
            asking.write(RAISED)
            asking.flush()
            self.raise_requested.emit()
        asking.disconnectFromServer()
