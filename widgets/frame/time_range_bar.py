"""The control of the global time range: history, live or paused, how long, and from when to when."""

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from models.domain.quantity import format_duration, format_time
from models.domain.time_range import span_text
from widgets.common.theme import ThemeHolder
from widgets.frame.time_range import PRESETS_US, TimeRangeModel
from widgets.frame.time_range_popup import TimeRangePopup
from widgets.frame.tool_buttons import FlatButton, beside_icon, described


class TimeRangeBar(QWidget):
    """Shows and changes a `TimeRangeModel`. The actions are those of the menu, so both always agree. GUI thread."""

    def __init__(
        self, theme: ThemeHolder, model: TimeRangeModel, toggle: QAction, back: QAction, forward: QAction
    ) -> None:
        super().__init__()
        self._theme, self._model, self._toggle = theme, model, toggle
        self._popup: TimeRangePopup | None = None
        self.setAccessibleName(self.tr("Time range"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(FlatButton(theme, "back", self.tr("Earlier time range"), back))
        row.addWidget(FlatButton(theme, "forward", self.tr("Later time range"), forward))
        row.addSpacing(4)
        self._live = self._chip()
        self._live.setCheckable(True)
        self._live.clicked.connect(toggle.trigger)
        row.addWidget(self._live)
        row.addSpacing(4)
        self._presets = QButtonGroup(self)
        self._presets.setExclusive(False)
        row.addLayout(self._preset_row())
        row.addSpacing(4)
        self._range = self._chip()
        self._range.clicked.connect(self.open_popup)
        row.addWidget(self._range)
        model.changed.connect(self.refresh)
        theme.changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the range as it is now. Called about once a second while live."""
        live, shown = self._model.live, self._model.current()
        self._live.setChecked(live)
        self._live.setText(beside_icon(self.tr("Live") if live else self.tr("Paused")))
        self._live.setIcon(self._theme.icons.icon("live" if live else "pause", "good" if live else "warning"))
        does = self.tr("Hold the view; recording goes on") if live else self.tr("Back to live")
        self._live.setToolTip(described(does, self._toggle))
        self._live.setAccessibleName(self.tr("Live") if live else self.tr("Paused"))
        self._live.setAccessibleDescription(does)
        for button in self._presets.buttons():
            button.setChecked(live and self._presets.id(button) == shown.span_us // 1_000_000)
        text = self._range_text()
        self._range.setText(beside_icon(text))
        self._range.setIcon(self._theme.icons.icon("clock", "muted"))
        self._range.setAccessibleName(self.tr("Time range: {range}").replace("{range}", text))
        self._range.setToolTip(
            self.tr("Choose both ends, copy or paste the range: {text}").replace("{text}", shown.as_text())
        )

    @Slot()
    def open_popup(self) -> None:
        """Both ends by hand."""
        if self._popup is None:
            self._popup = TimeRangePopup(self._model, self)
        self._popup.open_below(self._range)

    def _range_text(self) -> str:
        shown = self._model.current()
        if shown.live:
            return self.tr("last {span}").replace("{span}", format_duration(shown.span_us))
        since = format_time(shown.since_us)
        return f"{since} – {format_time(shown.until_us, now_us=shown.since_us)}"

    def _chip(self) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", "chip")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(16, 16))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _preset_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(0)
        for place, span_us in enumerate(PRESETS_US):
            button = QToolButton()
            button.setProperty("role", "segment")
            button.setProperty("place", {0: "first", len(PRESETS_US) - 1: "last"}.get(place, "middle"))
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setText(span_text(span_us))
            words = self.tr("The last {span}, live").replace("{span}", format_duration(span_us))
            button.setToolTip(words)
            button.setAccessibleName(words)
            button.clicked.connect(lambda _checked=False, span=span_us: self._show_last(span))
            self._presets.addButton(button, span_us // 1_000_000)
            row.addWidget(button)
        return row

    def _show_last(self, span_us: int) -> None:
        self._model.show_last(span_us)
        self.refresh()  # a click on the chosen one must not leave it unchecked
