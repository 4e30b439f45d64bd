"""The line above a panel: its title, in what resolution it is drawn, and its buttons; the panel is moved by dragging it."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QSizePolicy, QWidget

from widgets.common.plain import PlainLabel, tooltip_text
from widgets.common.theme import ThemeHolder
from widgets.explore.series_mime import panel_mime
from widgets.frame.tool_buttons import FlatButton, restyle

_BUTTON_PIXELS = 22


class PanelHeader(QWidget):
    """`drag_id` tells which panel is dragged; 0: it cannot be moved."""

    renamed = Signal()
    """A double click on the title: ask for another one."""
    menu_wanted = Signal(QWidget)
    """Under this button."""

    def __init__(self, theme: ThemeHolder, drag_id: Callable[[], int], close: Callable[[], object]) -> None:
        super().__init__()
        self._drag_id = drag_id
        self._pressed: QPointF | None = None
        self.title = PlainLabel()
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.badge = QLabel()
        self.badge.setTextFormat(Qt.TextFormat.PlainText)
        self.badge.setProperty("tone", "muted")
        self.badge.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        more = FlatButton(theme, "more", self.tr("What can be done with this panel"))
        more.clicked.connect(lambda: self.menu_wanted.emit(more))
        shut = FlatButton(theme, "close", self.tr("Close this panel"))
        shut.clicked.connect(close)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 4, 0)
        row.setSpacing(8)
        row.addWidget(self.title)
        row.addWidget(self.badge, 1)
        for button in (more, shut):
            button.setFixedSize(_BUTTON_PIXELS, _BUTTON_PIXELS)
            row.addWidget(button)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("role", "panel-header")

    def show_badge(self, text: str, tip: str) -> None:
        """In what resolution is drawn; `tip` explains it."""
        if text != self.badge.text():
            self.badge.setText(text)
            self.badge.setToolTip(tooltip_text(tip))
            self.badge.setAccessibleDescription(tip)

    def show_at_hand(self, *, at_hand: bool) -> None:
        """Is it the panel that commands are about?"""
        restyle(self, state="chosen" if at_hand else "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position() if event.button() == Qt.MouseButton.LeftButton else None
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or not self._drag_id():
            return
        if (event.position() - self._pressed).manhattanLength() >= QApplication.startDragDistance():
            self._pressed = None
            drag = QDrag(self)
            drag.setMimeData(panel_mime(self._drag_id()))
            drag.setPixmap(self.grab())
            drag.exec(Qt.DropAction.MoveAction)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self.renamed.emit()
