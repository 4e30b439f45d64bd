"""Buttons as they stand beside what they act on."""

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton


def plain_button(text: str, pressed: Callable[..., object]) -> QPushButton:
    """One that Enter in a field nearby does not press."""
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.clicked.connect(pressed)
    return button
