"""Asks for the name of a layout."""

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QWidget

_LONGEST = 120


def ask_name(window: QWidget, title: str, label: str, name: str, named: Callable[[str], object]) -> None:
    """A small dialog that holds up nothing else; `named` gets what was typed, never nothing."""
    dialog = QDialog(window)
    dialog.setWindowTitle(title)
    edit = QLineEdit(name)
    edit.setMaxLength(_LONGEST)
    edit.setAccessibleName(label)
    edit.setMinimumWidth(260)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
    accept = buttons.button(QDialogButtonBox.StandardButton.Ok)
    form = QFormLayout(dialog)
    form.addRow(label, edit)
    form.addRow(buttons)
    accept.setEnabled(bool(name.strip()))
    edit.textChanged.connect(lambda text: accept.setEnabled(bool(text.strip())))
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    dialog.accepted.connect(lambda: named(edit.text().strip()))
    dialog.finished.connect(dialog.deleteLater)
    edit.selectAll()
    edit.setFocus()
    dialog.open()
