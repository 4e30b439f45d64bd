"""The window around all screens: rail, top bar, notices, side panel, capture health."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QGuiApplication, QKeyEvent, QStatusTipEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from models.domain.clock import Clock
from models.domain.control import RecorderState
from models.domain.problems import EnvironmentProblem
from widgets.common.actions import ActionRegistry
from widgets.common.plain import tooltip_text
from widgets.common.theme import ThemeHolder
from widgets.frame.broker_chip import BrokerChip
from widgets.frame.frame_actions import FrameActions, FrameSlots
from widgets.frame.health_bar import HealthBar
from widgets.frame.moment_bar import MomentBar
from widgets.frame.navigation_rail import NavigationRail
from widgets.frame.notice_bar import NoticeBar
from widgets.frame.reading_chip import ReadingChip
from widgets.frame.shortcuts_window import ShortcutsWindow
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.frame.time_range_bar import TimeRangeBar
from widgets.frame.tool_buttons import FlatButton

FIRST_SIZE = (1440, 900)
DECORATION_PIXELS = 40
"""What a window manager adds to the height, so that the first window fits on a small screen."""
SIDE_WIDTH = 380
SECOND_MS = 1000


class MainWindow(QMainWindow):
    """Screens come by `add_screen`. Public parts: `time_range`, `time_cursor`, `broker_chip`, `health_bar`, `notices`.

    Reads and writes no files: the composition keeps `save_layout()` and gives it back. GUI thread.
    """

    screen_changed = Signal(str)
    refresh_requested = Signal()
    side_panel_closed = Signal()
    closing = Signal()

    def __init__(
        self, theme: ThemeHolder, actions: ActionRegistry, clock: Clock, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._actions = theme, actions
        self._screens: dict[str, QWidget] = {}
        self._before = ""  # the screen that was in front before this one
        self._panel: QWidget | None = None
        self.time_range = TimeRangeModel(clock, parent=self)
        self.time_cursor = TimeCursor(self)
        self.broker_chip = BrokerChip(theme, clock)
        self.health_bar = HealthBar(theme, clock)
        self.notices = NoticeBar(theme)
        self._label = QLabel()
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setProperty("role", "label")
        self._label.hide()
        self._reading = ReadingChip(theme)
        self._rail = NavigationRail(theme)
        self._stack = _ScreenStack()
        self._made = FrameActions(actions, theme, self.time_range, self._slots(), self)
        self._range_bar = TimeRangeBar(
            theme, self.time_range, self._made.toggle_live, self._made.back, self._made.forward
        )
        self._moment_bar = MomentBar(theme, self.time_range, self.time_cursor, self._made.leave_moment)
        self._theme_button = FlatButton(theme, "moon", self.tr("Light or dark"), self._made.toggle_theme)
        self._build()
        self._rail.chosen.connect(self.show_screen)
        self.time_range.changed.connect(self._follow_range)
        self.time_cursor.pinned.connect(self._follow_moment)
        theme.changed.connect(self._follow_theme)
        self._follow_range()
        self._follow_moment()
        self._follow_theme()
        self._second = QTimer(self, interval=SECOND_MS)
        self._second.timeout.connect(self._tick)
        self._second.start()

    # ------------------------------------------------------------------ screens

    def add_screen(self, id_: str, title: str, icon: str, widget: QWidget) -> None:
        """One more screen: a button in the rail and an action in Go with Ctrl+<place>. The first is shown."""
        place = len(self._screens) + 1
        keys = f"Ctrl+{place}" if place <= 9 else ""
        tip = self.tr("Show the screen “{title}”").replace("{title}", title)
        self._actions.add(f"go.{id_}", title, lambda: self.show_screen(id_), keys or None, icon, "Go", tip=tip)
        self._rail.add(id_, title, icon, keys)
        self._screens[id_] = widget
        widget.setAccessibleName(title)
        self._stack.addWidget(widget)
        if place == 1:
            self.show_screen(id_)

    @Slot(str)
    def show_screen(self, id_: str) -> None:
        """Bring this screen to the front. `KeyError` for one that was never added."""
        widget = self._screens[id_]
        if self.shown_screen not in ("", id_):
            self._before = self.shown_screen
            self._made.screen_before.setEnabled(True)
        self._rail.show_chosen(id_)
        self._stack.setCurrentWidget(widget)
        widget.setFocus()  # a screen names by setFocusProxy what takes the keys
        self.screen_changed.emit(id_)

    @property
    def shown_screen(self) -> str:
        """Id of the screen in front; empty before the first came."""
        return next((id_ for id_, widget in self._screens.items() if widget is self._stack.currentWidget()), "")

    @property
    def shown_widget(self) -> QWidget:
        """The screen in front; its accessible name is its title."""
        return self._screens[self.shown_screen]

    # ------------------------------------------------------------------ side panel

    def set_side_panel(self, panel: QWidget | None) -> None:
        """Show this widget at the right; None closes. The panel before is taken out and stays its owner's."""
        if panel is self._panel:
            return
        if self._panel is not None:
            self._panel.hide()
            self._side_column.removeWidget(self._panel)
            self._panel.setParent(None)
        self._panel = panel
        if panel is not None:
            self._side_column.addWidget(panel)
            panel.show()
        self._side.setVisible(panel is not None)
        self._follow_moment()

    @property
    def side_panel(self) -> QWidget | None:
        return self._panel

    # ------------------------------------------------------------------ recorder

    def show_recorder(self, state: RecorderState | None) -> None:
        """Hand the recorder's last answer to the chip and the health bar. About once a second."""
        self.broker_chip.show_state(state)
        self.health_bar.show_state(state)

    def show_label(self, text: str, tip: str) -> None:
        """Something that must be seen at all times, beside the broker chip."""
        self._label.setText(text)
        self._label.setToolTip(tooltip_text(tip))
        self._label.setAccessibleDescription(tip)
        self._label.show()

    def show_reading(self, text: str, tip: str, actions: Sequence[QAction]) -> None:
        """No recorder belongs to this window: what is looked at, in the chip's place, with what can be done with it."""
        self.broker_chip.hide()
        self.health_bar.show_reading(self.tr("read-only: nothing is recorded"), tip)
        self._range_bar.show_reading()
        self._reading.show_text(text, tip, actions)

    # ------------------------------------------------------------------ layout

    def save_layout(self) -> dict[str, str]:
        """Place, size, screen, theme and time range as texts for a settings file."""
        return {
            "geometry": _text(self.saveGeometry()),
            "splitter": _text(self._splitter.saveState()),
            "screen": self.shown_screen,
            "theme": self._theme.choice,
            "range": self.time_range.as_text(),
        }

    def restore_layout(self, saved: Mapping[str, object]) -> None:
        """Take up what `save_layout` gave; parts that are missing or do not fit are left as they are. Qt brings a window
        that would lie outside today's screens back onto one."""
        self.restoreGeometry(_bytes(saved.get("geometry")))
        self._splitter.restoreState(_bytes(saved.get("splitter")))
        if saved.get("screen") in self._screens:
            self.show_screen(str(saved["screen"]))
        if saved.get("theme") in ("system", "light", "dark"):
            self._theme.choose(str(saved["theme"]))
        kept = saved.get("range")
        if isinstance(kept, str) and kept.startswith("live"):  # a window opens on the present, not on last week
            try:
                self.time_range.from_text(kept)
            except EnvironmentProblem:
                return

    def reset_layout(self) -> None:
        """Size of the window and width of the side panel as at the first start."""
        self.setWindowState(self.windowState() & ~(Qt.WindowState.WindowFullScreen | Qt.WindowState.WindowMaximized))
        self._splitter.setSizes([self._splitter.width() - SIDE_WIDTH, SIDE_WIDTH])
        self.resize(self._first_size())  # the screen takes the difference

    # ------------------------------------------------------------------ Qt

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._typed_there(event):
            event.accept()
            return True
        if isinstance(event, QStatusTipEvent):
            self.health_bar.show_tip(event.tip())
            return True
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        super().closeEvent(event)

    def _typed_there(self, event: QKeyEvent) -> bool:
        """Does this key belong to the focused widget before it is a shortcut? Space presses buttons, Esc ends editing."""
        focused = QGuiApplication.focusObject()
        if event.modifiers() != Qt.KeyboardModifier.NoModifier or not isinstance(focused, QWidget):
            return False
        if event.key() == Qt.Key.Key_Space:
            return isinstance(focused, QAbstractButton | QComboBox)
        if event.key() == Qt.Key.Key_Escape:
            return any(isinstance(above, QAbstractItemView) for above in _above(focused))
        return False

    # ------------------------------------------------------------------ inner

    def _slots(self) -> FrameSlots:
        return FrameSlots(
            quit=self.close,
            refresh=self.refresh_requested.emit,
            full_screen=self._show_full,
            close_panel=self._close_panel,
            custom_range=self._choose_range,
            copy_range=self._copy_range,
            paste_range=self._paste_range,
            shortcuts=self._show_shortcuts,
            moment=lambda: self._moment_bar.begin(),  # noqa: PLW0108 - it is made later
            leave_moment=lambda: self.time_cursor.pin(None),
            screen_before=lambda: self.show_screen(self._before),
        )

    def _build(self) -> None:
        self.resize(self._first_size())
        self._actions.install(self.menuBar(), self)
        top = QWidget()
        top.setProperty("role", "bar")
        top.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(top)
        row.setContentsMargins(10, 5, 8, 5)
        row.setSpacing(8)
        row.addWidget(self.broker_chip)
        row.addWidget(self._reading)
        row.addWidget(self._label)
        row.addStretch(1)
        row.addWidget(self._range_bar)
        row.addWidget(self._theme_button)
        self._side = QWidget()
        self._side.setProperty("role", "side")
        self._side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._side_column = QVBoxLayout(self._side)
        self._side_column.setContentsMargins(1, 0, 0, 0)
        self._side.hide()
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self._stack)
        self._splitter.addWidget(self._side)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setSizes([FIRST_SIZE[0] - SIDE_WIDTH, SIDE_WIDTH])
        content = _column(self._splitter, top, self._moment_bar, self.notices, self._splitter)
        middle = QWidget()
        across = QHBoxLayout(middle)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        across.addWidget(self._rail)
        across.addWidget(content, 1)
        self.setCentralWidget(_column(middle, middle, self.health_bar))

    def _first_size(self) -> QSize:
        room = self.screen().availableSize()
        return QSize(min(FIRST_SIZE[0], room.width()), min(FIRST_SIZE[1], room.height() - DECORATION_PIXELS))

    @Slot()
    def _tick(self) -> None:
        self.broker_chip.refresh()
        if self.time_range.live:
            self._range_bar.refresh()

    @Slot()
    def _follow_range(self) -> None:
        self._made.back.setEnabled(self.time_range.can_go_back)
        self._made.forward.setEnabled(self.time_range.can_go_forward)

    @Slot()
    def _follow_theme(self) -> None:
        self._theme_button.show_icon("sun" if self._theme.theme.dark else "moon")

    def _show_full(self, full: bool) -> None:
        state = self.windowState()
        flag = Qt.WindowState.WindowFullScreen
        self.setWindowState(state | flag if full else state & ~flag)

    @Slot()
    def _follow_moment(self) -> None:
        pinned = self.time_cursor.pinned_us is not None
        self._made.leave_moment.setEnabled(pinned)
        self._made.close_panel.setEnabled(pinned or self._panel is not None)  # one key leaves both

    def _close_panel(self) -> None:
        if self.time_cursor.pinned_us is not None:
            self.time_cursor.pin(None)
        elif self._panel is not None:
            self.set_side_panel(None)
            self.side_panel_closed.emit()

    def _choose_range(self) -> None:
        self._range_bar.open_popup()

    def _copy_range(self) -> None:
        QGuiApplication.clipboard().setText(self.time_range.as_text())

    def _paste_range(self) -> None:
        try:
            self.time_range.from_text(QGuiApplication.clipboard().text()[:200])
        except EnvironmentProblem as error:
            self.notices.show_problem(error.problem)
        else:
            self.notices.clear("time.unreadable")

    def _show_shortcuts(self) -> None:
        ShortcutsWindow(self._actions, self).show()


class _ScreenStack(QStackedWidget):
    """As narrow as the screen in front can be: one that was wide takes no room from the side panel once it is left."""

    def __init__(self) -> None:
        super().__init__()
        self.currentChanged.connect(self.updateGeometry)

    def minimumSizeHint(self) -> QSize:
        front = self.currentWidget()
        return super().minimumSizeHint() if front is None else front.minimumSizeHint().expandedTo(front.minimumSize())


def _column(growing: QWidget, *widgets: QWidget) -> QWidget:
    """The widgets below each other without space; `growing` takes what height the others leave."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for widget in widgets:
        column.addWidget(widget, 1 if widget is growing else 0)
    return holder


def _above(widget: QWidget) -> list[QWidget]:
    found, above = [], widget.parentWidget()
    while above is not None:
        found.append(above)
        above = above.parentWidget()
    return found


def _text(state: QByteArray) -> str:
    return bytes(state.toBase64().data()).decode("ascii")


def _bytes(text: object) -> QByteArray:
    return QByteArray.fromBase64(str(text or "").encode("ascii", "replace"))
