"""Replay: a window of time that moves over a past stretch, by itself or step by step."""

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from models.domain.quantity import format_time
from widgets.common.buttons import plain_button
from widgets.common.numbers import count_text, duration_text
from widgets.common.theme import ThemeHolder

STEP_MS = 700
PARTS = (20, 50, 100, 200)
_FIRST = 50


class ReplayBar(QWidget):
    """While it plays, it goes on only once what it moved to is drawn (`drawn`). It steps; nothing slides. GUI thread."""

    moved = Signal()
    """The window stands elsewhere."""
    ended = Signal()

    def __init__(self, themes: ThemeHolder, step_ms: int = STEP_MS) -> None:
        super().__init__()
        self._themes = themes
        self._since_us = self._until_us = 0
        self._timer = QTimer(self, singleShot=True, interval=step_ms)
        self._timer.timeout.connect(self._go_on)
        self.play = QToolButton()
        self.play.setCheckable(True)
        self.play.toggled.connect(self._played)
        self.back, self.forward = QToolButton(), QToolButton()
        for button, name, way in (
            (self.back, self.tr("A step back"), -1),
            (self.forward, self.tr("A step forward"), 1),
        ):
            button.setAccessibleName(name)
            button.setToolTip(name)
            button.clicked.connect(lambda _checked, way=way: self._step(way))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(self.tr("Moment of the replay"))
        self.slider.valueChanged.connect(self._moved)
        self.slider.installEventFilter(self)
        self.parts = QComboBox()
        self.parts.setAccessibleName(self.tr("Length of a step"))
        self.parts.activated.connect(self._parted)
        self.told = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.told.setAccessibleName(self.tr("Time that is shown"))
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 8, 4)
        for button in (self.back, self.play, self.forward):
            row.addWidget(button)
        row.addWidget(self.slider, 1)
        row.addWidget(self.told)
        row.addWidget(self.parts)
        row.addWidget(plain_button(self.tr("En&d replay"), self.ended.emit))
        self._dress()
        themes.changed.connect(self._dress)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Space plays and pauses here, instead of the whole window."""
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space:
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self.play.toggle()
                return True
        return super().eventFilter(watched, event)

    def begin(self, since_us: int, until_us: int) -> None:
        """Over this stretch, from its beginning; it does not play yet."""
        self._since_us, self._until_us = since_us, max(until_us, since_us + max(PARTS))
        with QSignalBlocker(self.parts):
            self.parts.clear()
            for parts in PARTS:
                self.parts.addItem(duration_text((self._until_us - since_us) // parts), parts)
            self.parts.setCurrentIndex(PARTS.index(_FIRST))
        self._lay_out(0)
        self.show()
        self.slider.setFocus(Qt.FocusReason.OtherFocusReason)

    def end(self) -> None:
        """Play no more."""
        self.play.setChecked(False)
        self.hide()

    @property
    def span(self) -> tuple[int, int]:
        """What is shown: [since, until) in µs UTC. Windows lie side by side, none over another."""
        parts, place = int(self.parts.currentData()), self.slider.value()
        whole_us = self._until_us - self._since_us
        return self._since_us + whole_us * place // parts, self._since_us + whole_us * (place + 1) // parts

    def drawn(self) -> None:
        """What was moved to is seen."""
        if self.play.isChecked():
            self._timer.start()

    def _lay_out(self, place: int) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, int(self.parts.currentData()) - 1)
            self.slider.setPageStep(max(1, self.slider.maximum() // 10))
            self.slider.setValue(place)
        self._moved()

    @Slot()
    def _parted(self) -> None:
        """Steps of another length, from the same moment on."""
        place, steps = self.slider.value(), self.slider.maximum() + 1
        self._lay_out(place * int(self.parts.currentData()) // steps)

    @Slot()
    def _moved(self) -> None:
        since_us, until_us = self.span
        digits = 0 if until_us - since_us >= 2_000_000 else 3
        told = f"{format_time(since_us, digits=digits)} – {format_time(until_us, None, since_us, digits)}"
        place = self.tr("{n} of {all}").replace("{n}", count_text(self.slider.value() + 1))
        self.told.setText(told)
        self.slider.setAccessibleDescription(f"{told}, {place.replace('{all}', count_text(self.slider.maximum() + 1))}")
        self.back.setEnabled(self.slider.value() > 0)
        self.forward.setEnabled(self.slider.value() < self.slider.maximum())
        self.moved.emit()

    def _step(self, way: int) -> None:
        self.play.setChecked(False)
        self.slider.setValue(self.slider.value() + way)

    @Slot(bool)
    def _played(self, playing: bool) -> None:
        self._dress()
        if not playing:
            self._timer.stop()
        elif self.slider.value() == self.slider.maximum():
            self.slider.setValue(0)  # from the beginning again; it goes on once that is drawn
        else:
            self._timer.start()

    @Slot()
    def _go_on(self) -> None:
        if self.slider.value() >= self.slider.maximum():
            self.play.setChecked(False)
        else:
            self.slider.setValue(self.slider.value() + 1)

    @Slot()
    def _dress(self) -> None:
        icons, playing = self._themes.icons, self.play.isChecked()
        self.play.setIcon(icons.icon("pause" if playing else "play"))
        name = self.tr("Pause the replay") if playing else self.tr("Play")
        self.play.setAccessibleName(name)
        self.play.setToolTip(name)
        self.back.setIcon(icons.icon("back"))
        self.forward.setIcon(icons.icon("forward"))
