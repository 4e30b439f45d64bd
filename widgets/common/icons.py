"""Icons drawn from our own SVG files, tinted with a token, sharp at every scale."""

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from models.domain.presence_words import Condition, Presence
from models.domain.records import Level
from models.domain.resources import resource_path
from widgets.common.tokens import Theme

# the sizes we draw icons at, for screens at scale 1, 1.25, 1.5, 2 and 3
_PIXELS = (12, 14, 16, 18, 20, 24, 28, 30, 32, 36, 40, 48, 60, 72, 96)

_PRESENCE_FILES = {
    Presence.ONLINE: "presence-online",
    Presence.LATE: "presence-late",
    Presence.OFFLINE: "presence-offline",
    Presence.STOPPED: "presence-stopped",
    Presence.UNKNOWN: "presence-unknown",
}
_ONLINE_FILES = {
    Condition.DEGRADED: "presence-degraded",
    Condition.STARTING: "presence-starting",
    Condition.ASLEEP: "presence-asleep",
}


@cache
def _drawing(name: str) -> str:
    return resource_path("icons", f"{name}.svg").read_text(encoding="utf-8")


def draw_icon(name: str, colour: str, pixels: int) -> QPixmap:
    """One icon as a square of device pixels. GUI thread. Raises `FileNotFoundError` for a name that we do not ship."""
    return _draw(_renderer(name, colour), pixels)


def _renderer(name: str, colour: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_drawing(name).replace("currentColor", colour).encode()))


def _draw(renderer: QSvgRenderer, pixels: int) -> QPixmap:
    pixmap = QPixmap(QSize(pixels, pixels))
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:  # an open one would take the process down
        renderer.render(painter, QRectF(0, 0, pixels, pixels))
    return pixmap


class Icons:
    """All icons of one theme, drawn once each. GUI thread. A new theme has new `Icons` (`ThemeHolder.icons`)."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._made: dict[tuple[str, str], QIcon] = {}

    def icon(self, name: str, tone: str = "text") -> QIcon:
        """The icon `resources/icons/<name>.svg` in the colour of the token `tone`, greyed where disabled."""
        return self._tinted(name, getattr(self._theme, tone))

    def level(self, name: str, level: Level) -> QIcon:
        """A sign for log records of this level, in its colour."""
        return self._tinted(name, self._theme.level(level))

    def presence(self, presence: Presence, condition: Condition = Condition.OK) -> QIcon:
        """The shape of a presence in its colour: told apart without seeing colours."""
        name = _PRESENCE_FILES[presence]
        if presence is Presence.ONLINE:
            name = _ONLINE_FILES.get(condition, name)
        return self._tinted(name, self._theme.presence(presence, condition))

    def _tinted(self, name: str, colour: str) -> QIcon:
        icon = self._made.get((name, colour))
        if icon is None:
            icon, renderer = QIcon(), _renderer(name, colour)
            for pixels in _PIXELS:
                pixmap = _draw(renderer, pixels)
                icon.addPixmap(pixmap)
                icon.addPixmap(pixmap, QIcon.Mode.Selected)  # else a selected row would tint it
            icon.addPixmap(draw_icon(name, self._theme.edge, 32), QIcon.Mode.Disabled)
            self._made[name, colour] = icon
        return icon
