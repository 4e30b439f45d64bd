"""What every other test of a widget stands on."""

import gc
import weakref

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot


def test_a_widget_lives_as_long_as_its_test(qtbot: QtBot) -> None:
    seen = weakref.ref(_shown(qtbot))
    gc.collect()
    assert seen() is not None


def _shown(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget
