"""The status bar: whether everything that arrives is kept, in figures that each explain themselves."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from models.domain.clock import Clock
from models.domain.control import Link, RecorderState
from models.domain.quantity import MISSING
from widgets.common.numbers import count_text, duration_text, value_text
from widgets.common.plain import PlainLabel, tooltip_text
from widgets.common.theme import ThemeHolder
from widgets.frame.health import Health, HealthReader, Item
from widgets.frame.tool_buttons import beside_icon, restyle

HEIGHT = 26


class HealthBar(QWidget):
    """The recorder's state at the left, then one figure per `Item`; one that is wrong gets a warning sign and words.

    Every figure can be reached with Tab, so that its explanation is read out. GUI thread.
    """

    def __init__(self, theme: ThemeHolder, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._clock = theme, clock
        self._reader = HealthReader()
        self._health = self._reader.read(None, 0)
        self.setProperty("role", "foot")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(self.tr("Capture health"))
        self._recorder = self._figure()
        self._items = {item: self._figure() for item in Item}
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.setSpacing(2)
        self._told = False
        self._tip = PlainLabel()
        self._tip.setProperty("tone", "muted")
        row.addWidget(self._recorder)
        row.addWidget(self._tip, 1)
        for button in self._items.values():
            row.addWidget(button)
        self.setFixedHeight(max(HEIGHT, self.fontMetrics().height() + 10))
        theme.changed.connect(self._draw)
        self._draw()

    def show_state(self, state: RecorderState | None) -> None:
        """The recorder's last answer; None: there is none that answers. About once a second. Not called yet: it is
        looked for."""
        self._told = True
        self._health = self._reader.read(state, self._clock.monotonic_us())
        self._draw()

    def show_reading(self, text: str, why: str) -> None:
        """Nothing is recorded, as it shall be: what is looked at, and no figures."""
        self._put(self._recorder, text, why, "")
        for button in self._items.values():
            button.hide()

    def show_tip(self, text: str) -> None:
        """What the chosen menu entry does; empty: nothing is chosen."""
        self._tip.set_text(text)

    @property
    def health(self) -> Health:
        """What is shown."""
        return self._health

    def _figure(self) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", "figure")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(14, 14))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _draw(self) -> None:
        health = self._health
        connected = health.link is Link.CONNECTED
        if health.recording and not connected:
            self._put(
                self._recorder,
                self.tr("connecting…") if health.link is Link.CONNECTING else self.tr("not connected"),
                self.tr("A recorder runs, but no broker sends it anything now. The broker's name above says why."),
                "" if health.link is Link.CONNECTING else "warning",
            )
        elif health.recording:
            self._put(
                self._recorder, self.tr("recording"), self.tr("A recorder runs and stores what arrives."), "record"
            )
        elif not self._told:
            self._put(self._recorder, self.tr("starting…"), self.tr("The recorder is looked for, or started."), "")
        else:
            self._put(
                self._recorder,
                self.tr("not recording"),
                self.tr("No recorder answers. What is sent meanwhile is not stored, and shows as a gap."),
                "warning",
            )
        away = not connected and health.link is not Link.CONNECTING
        restyle(self._recorder, state="warning" if self._told and away else "")
        for item, button in self._items.items():
            text, why = self._texts(item)
            wrong = item in health.wrong
            button.setVisible(wrong or item is not Item.MISSING)  # rare, and the room is little
            self._put(button, text, why, "warning" if wrong else "")
            restyle(button, state="warning" if wrong else "")

    def _put(self, button: QToolButton, text: str, why: str, icon: str) -> None:
        tone = "warning" if icon == "warning" else "good"
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if icon else Qt.ToolButtonStyle.ToolButtonTextOnly
        button.setToolButtonStyle(style)
        if icon:
            button.setIcon(self._theme.icons.icon(icon, tone))
        button.setText(beside_icon(text) if icon else text)
        button.setToolTip(tooltip_text(why))
        button.setAccessibleName(text)
        button.setAccessibleDescription(why)

    def _texts(self, item: Item) -> tuple[str, str]:
        """What a figure says, and what it means."""
        health = self._health
        counters = health.counters
        known = health.recording
        count = {
            Item.STORED: counters.stored, Item.DROPPED: counters.dropped, Item.UNREADABLE: counters.unreadable,
            Item.DUPLICATES: counters.duplicates,
        }.get(item, 0)  # fmt: skip
        number = count_text(count) if known else MISSING
        lag = duration_text(counters.lag_us) if known else MISSING
        rate = value_text(round(health.rate, 1) if health.rate is not None else None)
        texts = {
            Item.RECEIVED: (
                self.tr("received {n}/s").replace("{n}", rate),
                self.tr("Messages that arrived from the broker each second, over the last 5 s."),
            ),
            Item.STORED: (
                self.tr("stored {n}").replace("{n}", number),
                self.tr("Messages that are safe on disk since this capture began. Received: {n}. Size on disk: {size}.")
                .replace("{n}", count_text(counters.received) if known else MISSING)
                .replace("{size}", value_text(health.store_bytes if known else None, "By")),
            ),
            Item.LAG: (
                self.tr("lag {time}").replace("{time}", lag),
                self.tr(
                    "Age of the oldest message that arrived and is not on disk yet. Writing takes {p50} (median), {p99} (99 of 100)."
                )
                .replace("{p50}", duration_text(counters.commit_p50_us) if known else MISSING)
                .replace("{p99}", duration_text(counters.commit_p99_us) if known else MISSING),
            ),
            Item.DROPPED: (
                self.tr("dropped {n}").replace("{n}", number),
                self.tr("QoS 0 messages thrown away because more came than can be written. They show as a gap."),
            ),
            Item.MISSING: (self._missing_text(), self._missing_meaning()),
            Item.UNREADABLE: (
                self.tr("unreadable {n}").replace("{n}", number),
                self.tr("Messages that are stored as they came, but that nobody could read figures or words from."),
            ),
            Item.DUPLICATES: (
                self.tr("duplicates {n}").replace("{n}", number),
                self.tr("Messages that the broker or an agent sent again. Each counts once."),
            ),
            Item.DISK: (self._disk_text(), self._disk_meaning()),
        }
        return texts[item]

    def _missing_text(self) -> str:
        if not self._health.recording:
            return self.tr("missing {n}").replace("{n}", MISSING)
        counters = self._health.counters
        text = self.tr("missing {n} or more") if counters.sessions_lost else self.tr("missing {n}")
        return text.replace("{n}", count_text(counters.missing))

    def _missing_meaning(self) -> str:
        told = self.tr(
            "Messages that never came: numbers that a publisher skipped, and what the broker says it threw away. They show as gaps."
        )
        if lost := self._health.counters.sessions_lost:
            also = self.tr("How often the broker forgot our session, with what it kept for us: {n}.")
            told = f"{told} {also.replace('{n}', count_text(lost))}"
        return told

    def _disk_text(self) -> str:
        days = self._health.disk_days
        if days is None:
            return self.tr("keeps {n}").replace("{n}", MISSING)
        if days < 2:
            return self.tr("keeps {n} h").replace("{n}", value_text(round(days * 24, 1)))
        if days >= 1000:
            return self.tr("keeps over {n} days").replace("{n}", "999")
        return self.tr("keeps {n} days").replace("{n}", value_text(round(days, 1) if days < 10 else round(days)))

    def _disk_meaning(self) -> str:
        if self._health.disk_days is None:
            return self.tr("How much history the space holds: not known yet.")
        return self.tr(
            "So much history the space holds at the present rate; what is older is removed. The limits stand on the Data screen."
        )
