"""Asks for a line of text, and holds up nothing else meanwhile."""

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QWidget


def ask_line(window: QWidget, title: str, label: str, edit: QLineEdit, accepted: Callable[[], object]) -> None:
    """`accepted` is called when the dialog was left with OK; `edit` is still there then."""
    dialog = QDialog(window)
    dialog.setWindowTitle(title)
    form = QFormLayout(dialog)
    form.addRow(label, edit)
    edit.setAccessibleName(label)
    edit.setMinimumWidth(260)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    dialog.accepted.connect(accepted)
    dialog.finished.connect(dialog.deleteLater)
    form.addRow(buttons)
    edit.selectAll()
    edit.setFocus()
    dialog.open()
