"""The chip that says that a window only looks, and at what; its menu says what can be done with it."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton

from widgets.common.plain import tooltip_text
from widgets.common.theme import ThemeHolder
from widgets.frame.tool_buttons import beside_icon

LEAST_WIDTH = 110


class ReadingChip(QToolButton):
    """Hidden until there is something to say. GUI thread."""

    def __init__(self, theme: ThemeHolder) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("role", "chip")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(16, 16))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(LEAST_WIDTH)  # on a small screen its end is cut; the tooltip has it all
        self.hide()
        theme.changed.connect(self._tint)
        self._tint()

    def show_text(self, text: str, tip: str, actions: Sequence[QAction]) -> None:
        """Visible texts, translated."""
        self.setText(beside_icon(text))
        self.setAccessibleName(text)
        self.setAccessibleDescription(tip)
        self.setToolTip(tooltip_text(f"{text}\n{tip}"))
        if actions:
            menu = QMenu(self)
            menu.addActions(list(actions))
            self.setMenu(menu)
        self.show()

    @Slot()
    def _tint(self) -> None:
        self.setIcon(self._theme.icons.icon("inbox", "accent"))
