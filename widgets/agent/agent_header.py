"""Who the agent is and how it is, in three lines above its plots."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from models.domain.presence_words import Condition, Presence
from models.domain.quantity import format_age, format_time
from models.domain.queries import AgentResult
from widgets.agent.agent_facts import PresenceNow
from widgets.common.numbers import count_text, duration_text
from widgets.common.plain import PlainLabel, visible
from widgets.common.theme import ThemeHolder
from widgets.common.words import cause_sentence, cause_word, convention_word, presence_word

_ICON_PIXELS = 20
_SEPARATOR = "   ·   "
_FEW = 3
"""So many facts have room at the side of the fleet; the rest stands on the screen of the agent."""


class AgentHeader(QWidget):
    """`show_facts` at any time; ages are told against `now_us`. Buttons go into `buttons`. GUI thread."""

    def __init__(self, theme: ThemeHolder, parent: QWidget | None = None, *, compact: bool = False) -> None:
        super().__init__(parent)
        self._theme = theme
        self._compact = compact
        self._icon = QLabel()
        self._icon.setFixedSize(_ICON_PIXELS, _ICON_PIXELS)
        self.name = PlainLabel()
        font = QFont(self.name.font())
        font.setPixelSize(round(self.fontMetrics().height() * (1.05 if compact else 1.25)))
        font.setBold(True)
        self.name.setFont(font)
        self.id = PlainLabel()
        self.id.setProperty("tone", "muted")
        self.presence = QLabel()
        self.presence.setTextFormat(Qt.TextFormat.PlainText)
        self.presence.setWordWrap(compact)
        self.facts = PlainLabel()
        self.facts.setProperty("tone", "muted")
        self.note = PlainLabel()
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(6)
        top = QHBoxLayout()
        top.setSpacing(8)
        for widget in (self._icon, self.name, self.id):
            top.addWidget(widget)
        top.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(3)
        column.addLayout(top)
        if not compact:
            top.addLayout(self.buttons)
        for label in (self.presence, self.facts, self.note):
            column.addWidget(label)
        if compact:
            self.buttons.addStretch(1)
            column.addLayout(self.buttons)

    def show_facts(
        self, result: AgentResult | None, now: PresenceNow | None, now_us: int, *, of_now: bool = True
    ) -> None:
        """Show what is known; `of_now` false: presence is that of a moment in the past, which `now_us` is then."""
        self.name.set_text((result.name or result.id) if result else "")
        self.id.set_text(result.id if result and result.name not in ("", result.id) else "")
        self.id.setVisible(bool(result) and bool(self.id.text()))
        presence = now.presence if now else Presence.UNKNOWN
        condition = now.condition if now else Condition.OK
        self._icon.setPixmap(self._theme.icons.presence(presence, condition).pixmap(_ICON_PIXELS, _ICON_PIXELS))
        self.presence.setText(self._presence_text(now, now_us))
        self.presence.setToolTip(cause_sentence(now.cause) if now else "")
        self.presence.setStyleSheet(f"color: {self._theme.theme.presence(presence, condition)}")
        separator = " · " if self._compact else _SEPARATOR
        self.facts.set_text(separator.join(self._facts(result, now_us, of_now=of_now)) if result else "")
        self.note.set_text(self.tr("Note: {note}").replace("{note}", result.note) if result and result.note else "")
        self.note.setVisible(bool(result and result.note))
        self.setAccessibleName(visible(result.name or result.id) if result else "")
        self.setAccessibleDescription(f"{self.presence.text()}. {self.facts.text()}")

    def _presence_text(self, now: PresenceNow | None, now_us: int) -> str:
        if now is None:
            return self.tr("nothing is known of its presence yet")
        text = self.tr("{presence} ({cause}) since {time}, {age} ago")
        places = {
            "presence": presence_word(now.presence, now.condition),
            "cause": cause_word(now.cause),
            "time": format_time(now.since_us, None, now_us),
            "age": format_age(now_us - now.since_us),
        }
        for place, value in places.items():
            text = text.replace("{" + place + "}", value)
        return text

    def _facts(self, result: AgentResult, now_us: int, *, of_now: bool) -> list[str]:
        """What is known and worth the room; text of the agent's own is cut short here and whole in the tooltip."""
        age = format_age(now_us - result.last_seen_us) if result.last_seen_us and of_now else ""
        facts = [
            (self.tr("last seen {x} ago"), age),
            (self.tr("every {x}"), duration_text(result.interval_us) if result.interval_us else ""),
            (self.tr("group {x}"), result.group),
            (self.tr("host {x}"), result.host),
            (self.tr("version {x}"), result.version),
            (self.tr("speaks {x}"), convention_word(result.convention) if result.convention else ""),
            (self.tr("can {x}"), ", ".join(result.capabilities)),
        ]
        facts = facts[:_FEW] if self._compact else [*facts, (self.tr("{x} messages"), count_text(result.messages))]
        return [text.replace("{x}", visible(value, 120)) for text, value in facts if value]
