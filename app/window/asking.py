"""What is asked of the user in windows of the desktop: files, folders, yes or no."""

from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget


class Asking:
    """What is asked of the user in windows of the desktop; another one in tests. GUI thread."""

    def __init__(self, window: QWidget) -> None:
        self._window = window

    def new_file(self, title: str, proposal: str) -> str:
        """Where to write; empty: nowhere. Asks by itself whether an older file shall be replaced; a name without an ending gets
        that of the proposal."""
        dialog = QFileDialog(self._window, title, proposal)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(proposal).suffix.removeprefix("."))
        chosen = dialog.selectedFiles()[0] if dialog.exec() else ""
        dialog.deleteLater()
        return chosen

    def files(self, title: str, folder: str, kinds: str) -> list[str]:
        """What to read; none: nothing."""
        return QFileDialog.getOpenFileNames(self._window, title, folder, kinds)[0]

    def folder(self, title: str, start: str) -> str:
        """Which folder to read; empty: none."""
        return QFileDialog.getExistingDirectory(self._window, title, start)

    def confirm(self, title: str, question: str, yes: str) -> bool:
        """May this be done? The question carries no markup. "No" is what Enter says."""
        box = QMessageBox(QMessageBox.Icon.Warning, title, question, QMessageBox.StandardButton.Cancel, self._window)
        box.setTextFormat(box.textFormat().PlainText)
        accept = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        return box.clickedButton() is accept


class LastFolder:
    """Where somebody wrote last; the documents to begin with."""

    def __init__(self, path: str = "") -> None:
        self.path = path

    def propose(self, name: str) -> str:
        """A file of this name there."""
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        return str(Path(self.path if self.path and Path(self.path).is_dir() else documents) / name)

    def note(self, path: str) -> None:
        """Somebody wrote or read this file."""
        self.path = str(Path(path).parent)
