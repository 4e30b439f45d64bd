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
        self._reading = False
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
        word, does = self._reading_words(live) if self._reading else self._live_words(live)
        self._live.setText(beside_icon(word))
        icon = ("clock", "muted") if self._reading and live else ("live", "good") if live else ("pause", "warning")
        self._live.setIcon(self._theme.icons.icon(*icon))
        self._live.setToolTip(described(does, self._toggle))
        self._live.setAccessibleName(word)
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

    def show_reading(self) -> None:
        """The present is where the history ends: nothing is live."""
        self._reading = True
        self.refresh()

    def _live_words(self, live: bool) -> tuple[str, str]:
        if live:
            return self.tr("Live"), self.tr("Hold the view; recording goes on")
        return self.tr("Paused"), self.tr("Back to live")

    def _reading_words(self, live: bool) -> tuple[str, str]:
        if live:
            return self.tr("Latest"), self.tr("The end of what was recorded. Press to hold the range where it is.")
        return self.tr("Held"), self.tr("Back to the end of what was recorded")

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
