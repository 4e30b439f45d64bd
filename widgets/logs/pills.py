"""The conditions of a query, each as a pill: a click switches it off or on, its menu turns it round or takes it away."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QMenu, QScrollArea, QToolButton, QWidget

from widgets.common.plain import tooltip_text, visible
from widgets.frame.tool_buttons import restyle
from widgets.logs.log_query import LogQuery, Pill

_LONGEST = 60
_SIDE, _BETWEEN, _BELOW = 8, 6, 4
_MOST_ROWS = 3
"""More of them are scrolled."""


class QueryPills(QScrollArea):
    """Hidden where the query says nothing. GUI thread."""

    def __init__(self, query: LogQuery, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._query = query
        self._content = QWidget()
        self.setWidget(self._content)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Conditions"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.buttons: list[PillButton] = []
        query.shown.connect(self._draw)
        self._draw()

    @Slot()
    def _draw(self) -> None:
        focused = next((place for place, one in enumerate(self.buttons) if one.hasFocus()), -1)
        for button in self.buttons:
            button.hide()
            button.deleteLater()
        pills = enumerate(self._query.pills)
        self.buttons = [PillButton(self._query, place, pill, self._content) for place, pill in pills]
        self.setVisible(bool(self.buttons))
        self._place()
        for button in self.buttons:
            button.show()
        if self.buttons and focused >= 0:
            self.buttons[min(focused, len(self.buttons) - 1)].setFocus()

    def _place(self) -> None:
        """One behind the other, in as many rows as they need."""
        room, x, y, step = self.viewport().width() - _SIDE, _SIDE, 0, 0
        for button in self.buttons:
            button.ensurePolished()
            size = button.sizeHint()
            step = size.height() + _BELOW
            if x > _SIDE and x + size.width() > room:
                x, y = _SIDE, y + step
            button.setGeometry(x, y, size.width(), size.height())
            x += size.width() + _BETWEEN
        self._content.setMinimumHeight(y + step)
        self.setFixedHeight(min(y + step, _MOST_ROWS * step))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()


class PillButton(QToolButton):
    """Delete takes it away, the minus key turns it round, the space key switches it."""

    def __init__(self, query: LogQuery, place: int, pill: Pill, parent: QWidget) -> None:
        super().__init__(parent)
        self._query, self._place = query, place
        text = visible(pill.text, _LONGEST)
        self.setText(
            text.replace("&", "&&")
            if pill.enabled
            else self.tr("off: {text}").replace("{text}", text).replace("&", "&&")
        )
        self.setToolTip(tooltip_text(visible(pill.text)))
        self.setAccessibleName(text if pill.enabled else self.tr("{text}, switched off").replace("{text}", text))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        menu = QMenu(self)
        menu.addAction(self.tr("Switch off") if pill.enabled else self.tr("Switch on"), self._toggle)
        menu.addAction(
            self.tr("Turn round (NOT)") if not pill.negated else self.tr("Turn round (without NOT)"), self._invert
        )
        menu.addAction(self.tr("Take away"), self._remove)
        self.setMenu(menu)
        self.clicked.connect(self._toggle)
        restyle(self, role="pill", state="off" if not pill.enabled else "not" if pill.negated else "on")

    @Slot()
    def _toggle(self) -> None:
        self._query.toggle(self._place)

    def _invert(self) -> None:
        self._query.invert(self._place)

    def _remove(self) -> None:
        self._query.remove(self._place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._remove()
        elif event.key() == Qt.Key.Key_Minus:
            self._invert()
        else:
            super().keyPressEvent(event)
