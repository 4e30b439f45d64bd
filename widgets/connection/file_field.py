"""A line for the path of a file, with a button that browses for it."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QToolButton, QWidget


class FileField(QWidget):
    """Holds a path, or nothing. `changed` follows every edit."""

    changed = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self.edit = QLineEdit(self, clearButtonEnabled=True)
        self.edit.setAccessibleName(title)
        self.edit.textChanged.connect(self.changed)
        self.button = QToolButton(self)
        self.button.setText(self.tr("Browse…"))
        self.button.setProperty("role", "button")
        self.button.setAccessibleName(self.tr("Browse for {file}").replace("{file}", title))
        self.button.clicked.connect(self._browse)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.edit, 1)
        layout.addWidget(self.button)
        self.setFocusProxy(self.edit)

    def path(self) -> str:
        return self.edit.text().strip()

    def set_path(self, path: str) -> None:
        self.edit.setText(path)

    @Slot()
    def _browse(self) -> None:
        dialog = QFileDialog(self, self._title, self.path())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Certificates and keys (*.pem *.crt *.cer *.key)"), self.tr("All files (*)")])
        dialog.fileSelected.connect(self.set_path)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
