"""The chip that says which broker we are connected to, whether we are, and since when."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from models.domain.clock import Clock
from models.domain.connection import DEFAULT_PORTS, parse_url
from models.domain.control import BrokerFigures, Link, RecorderState
from models.domain.problems import EnvironmentProblem
from models.domain.quantity import format_age, format_time
from widgets.common.numbers import count_text
from widgets.common.plain import tooltip_text, visible
from widgets.common.theme import ThemeHolder
from widgets.common.words import link_word, problem_text, told_problem
from widgets.frame.tool_buttons import beside_icon, restyle

HOST_LIMIT = 40
_LOOKS = {  # icon, token of its colour, state for the style sheet
    Link.IDLE: ("plug-off", "muted", ""),
    Link.CONNECTING: ("presence-late", "warning", "warning"),
    Link.CONNECTED: ("plug", "good", ""),
    Link.WAITING: ("plug-off", "warning", "warning"),
    Link.REFUSED: ("error", "error", "error"),
}
_NO_RECORDER = ("plug-off", "warning", "warning")
LEAST_WIDTH = 110
_STARTING = ("clock", "muted", "")


class BrokerChip(QToolButton):
    """Shape, word, host and since when; a click opens its menu, whose actions the composition gives. GUI thread."""

    def __init__(self, theme: ThemeHolder, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._clock = theme, clock
        self._state: RecorderState | None = None
        self._told = False
        self.setProperty("role", "chip")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(16, 16))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(LEAST_WIDTH)  # on a small screen its end is cut; the tooltip has it all
        theme.changed.connect(self.refresh)
        self.refresh()

    def set_actions(self, actions: Sequence[QAction]) -> None:
        """What the menu offers, such as "Connect to a broker…"."""
        menu = QMenu(self)
        menu.addActions(list(actions))
        self.setMenu(menu)

    def show_state(self, state: RecorderState | None) -> None:
        """The recorder's last answer; None: there is none that answers. Not called yet: it is looked for."""
        self._state, self._told = state, True
        self.refresh()

    def refresh(self) -> None:
        """Say again how long it lasts. Called about once a second."""
        if self._state is not None:
            icon, tone, look = _LOOKS[self._state.link]
        else:
            icon, tone, look = _NO_RECORDER if self._told else _STARTING
        self.setIcon(self._theme.icons.icon(icon, tone))
        restyle(self, state=look)
        text = self._sentence()
        if text != self.accessibleName():
            self.setText(beside_icon(text))
            self.setAccessibleName(text)
        self.setToolTip(tooltip_text("\n".join(self._details())))

    def _sentence(self) -> str:
        state = self._state
        if state is None:
            return self.tr("no recorder") if self._told else self.tr("starting…")
        word = link_word(state.link)
        if state.link is Link.IDLE:
            return word
        parts = [self._host(state)]
        problem = told_problem(state.problem)
        if state.link is Link.WAITING and problem is not None and problem.retry_at_us is not None:
            left = format_age(problem.retry_at_us - self._clock.wall_us())
            parts.append(self.tr("not connected, again in {time}").replace("{time}", left))
        elif state.link is Link.CONNECTED and state.since_us:
            parts.append(f"{word} {format_age(self._clock.wall_us() - state.since_us)}")
        else:
            parts.append(word)
        return " · ".join(parts)

    def _host(self, state: RecorderState) -> str:
        if state.embedded:
            return self.tr("broker on this computer")
        try:
            connection, _secret = parse_url(state.broker_url)
        except EnvironmentProblem:
            return visible(state.broker_url, HOST_LIMIT)
        host = visible(connection.host, HOST_LIMIT)
        usual = connection.port == DEFAULT_PORTS[connection.scheme]  # else several brokers of one host look alike
        return host if usual else f"{host}:{connection.port}"

    def _details(self) -> list[str]:
        state = self._state
        if state is None and not self._told:
            return [self.tr("The recorder is looked for, or started.")]
        if state is None:
            return [self.tr("No recorder answers; nothing is being recorded.")]
        lines = [visible(state.broker_url, 200)] if state.broker_url else []
        if state.mqtt_version:
            lines.append(self.tr("MQTT {version}").replace("{version}", visible(state.mqtt_version, 20)))
        if state.since_us:
            since = format_time(state.since_us, now_us=self._clock.wall_us())
            lines.append(
                self.tr("{state} since {time}").replace("{state}", link_word(state.link)).replace("{time}", since)
            )
        if state.link is Link.CONNECTED:
            lines += self._figures(state.broker)
        problem = told_problem(state.problem)
        if problem is not None:
            lines += [part for part in problem_text(problem) if part]
        return lines or [link_word(state.link)]

    def _figures(self, told: BrokerFigures) -> list[str]:
        """What the broker tells of itself."""
        lines = [visible(told.version, 80)] if told.version else []
        if told.started_us is not None:
            age = format_age(self._clock.wall_us() - told.started_us)
            lines.append(self.tr("It has run for {time}.").replace("{time}", age))
        if told.clients is not None:
            lines.append(self.tr("Clients connected: {n}").replace("{n}", count_text(told.clients)))
        if told.received_per_min is not None and told.sent_per_min is not None:
            received, sent = count_text(told.received_per_min), count_text(told.sent_per_min)
            text = self.tr("Messages a minute: {received} received, {sent} sent")
            lines.append(text.replace("{received}", received).replace("{sent}", sent))
        return lines
