"""What a panel shows in another way than over time: drawn on the frame clock from the same curves."""

from collections.abc import Collection, Sequence

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QMenu, QWidget

from models.domain.layouts.layout import Watched
from widgets.common.drawn_widget import DrawnWidget
from widgets.explore.panel_curves import PanelCurve
from widgets.frame.screen_context import ScreenContext
from widgets.plots.curves import NO_SHAPE, NO_SPANS, Shape, Window
from widgets.plots.surface import TimeSurface


class PanelView(DrawnWidget):
    """Who derives from it arranges what is to be seen, and paints that. A hidden one does nothing. GUI thread."""

    drawn = Signal()
    """`shapes` are new."""
    menu_wanted = Signal(object)
    """This `QMenu` is about to open on it."""
    agent_wanted = Signal(int)
    """Open this agent."""
    copied = Signal(str)
    """What is on the clipboard now, as a sentence."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context.frames, context.themes)
        self._range = context.times
        self.curves: list[PanelCurve] = []
        self.shapes: list[Shape] = []
        self.thresholds: Sequence[Watched] = ()
        self._off: frozenset[int] = frozenset()
        self._sentence = ""
        self.inner: list[QWidget] = []
        """Widgets in it that take the keys in its place."""
        self.over_time: TimeSurface | None = None
        """What of it lies over time, if anything."""
        self.span = (0, 1)  # of time, as drawn
        context.times.changed.connect(self.data_changed)

    # ------------------------------------------------------------ for who derives from it

    def _arrange(self, shown: Sequence[PanelCurve]) -> str:
        """Make of these curves what is painted; answers it in words, empty where there is nothing."""
        raise NotImplementedError

    def _paint(self, painter: QPainter) -> None:
        raise NotImplementedError

    def resolution(self) -> tuple[str, str]:
        """In what resolution it is told, and what that means."""
        return "", ""

    def why_nothing(self) -> str:
        """Why there is nothing although there are samples; empty: there is no reason of its own."""
        return ""

    def text(self) -> str:
        """What is seen, for the clipboard."""
        raise NotImplementedError

    # ------------------------------------------------------------ what it shows

    def set_curves(self, curves: Sequence[PanelCurve]) -> None:
        """Show these from now on."""
        self.curves, self._off = list(curves), frozenset()
        self.data_changed()

    def set_off(self, off: Collection[int]) -> None:
        """Leave these out (places among the curves)."""
        self._off = frozenset(off)
        self.data_changed()

    def set_sentence(self, sentence: str) -> None:
        """What stands in the middle while there is nothing."""
        self._sentence = sentence
        self.data_changed()

    def copy(self) -> None:
        """Put what is seen on the clipboard, as text."""
        QGuiApplication.clipboard().setText(self.text())
        self.copied.emit(self.tr("What this panel shows is on the clipboard, as text"))

    # ------------------------------------------------------------ drawing

    def draw(self) -> None:
        """As in `Drawable`."""
        now = self._range.current()
        self.span = now.since_us, now.until_us
        window = Window(*self.span, max(1, self.width()), NO_SPANS)
        shown = [curve for place, curve in enumerate(self.curves) if place not in self._off]
        self.shapes = [curve.shape(window) if curve in shown else NO_SHAPE for curve in self.curves]
        self._words = self._arrange(shown)
        self._instead = self.why_nothing() or self._sentence
        self.setAccessibleDescription(self._words or self._instead)
        self.drawn.emit()
        self.repaint()

    _words = _instead = ""

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter = self._theme.theme, QPainter(self)
        try:  # a painter that an exception leaves open takes the process down
            painter.fillRect(self.rect(), QColor(theme.surface))
            if self._words:
                self._paint(painter)
            else:
                painter.setPen(QColor(theme.muted))
                flags = int((Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap).value)
                painter.drawText(QRectF(self.rect()).adjusted(12, 0, -12, 0), flags, self._instead)
            if self.hasFocus():
                painter.setPen(QPen(QColor(theme.accent), 1))
                painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -1, -1))
        finally:
            painter.end()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._fill_menu(menu)
        menu.addSeparator()
        self.menu_wanted.emit(menu)
        menu.popup(event.globalPos())

    def _fill_menu(self, menu: QMenu) -> None:
        """What can be done with what is seen; who derives from it may put more in front."""
        menu.addAction(self.tr("Copy picture"), lambda: QGuiApplication.clipboard().setPixmap(self.grab()))
        menu.addAction(self.tr("Copy as text"), self.copy)
