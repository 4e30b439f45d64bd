"""The colours of both themes, by what they mean. Widgets name a token, never a colour."""

from dataclasses import dataclass
from typing import NamedTuple

from models.domain.presence_words import Condition, Presence
from models.domain.records import Level


class SeriesStyle(NamedTuple):
    """How the n-th curve of a plot looks: a colour, and dashes in pen widths (empty: solid)."""

    colour: str
    dash: tuple[float, ...]


DASHES: tuple[tuple[float, ...], ...] = ((), (6.0, 3.0), (1.5, 2.5), (8.0, 2.5, 1.5, 2.5))


@dataclass(frozen=True, slots=True)
class Theme:
    """Every colour is "#rrggbb". All text colours reach a contrast of 4.5 on window, surface and raised; series 3."""

    name: str
    dark: bool
    window: str  # behind everything
    surface: str  # what holds content: tables, plots, fields
    raised: str  # headers, hovered rows, buttons
    line: str  # hair lines between areas
    edge: str  # outlines of fields and buttons
    text: str
    muted: str  # second-rank text
    accent: str
    accent_text: str  # on accent
    selection: str
    selection_text: str
    warning: str
    error: str
    good: str
    online: str
    late: str
    offline: str
    stopped: str
    unknown: str
    degraded: str
    maintenance: str
    levels: tuple[str, ...]  # by models.domain.records.Level
    series: tuple[str, ...]
    gap: str  # shading of what history does not cover

    def presence(self, presence: Presence, condition: Condition = Condition.OK) -> str:
        """The colour of a presence; an agent that is there but not well takes the condition's."""
        if presence is Presence.ONLINE and condition is Condition.DEGRADED:
            return self.degraded
        return {
            Presence.ONLINE: self.online,
            Presence.LATE: self.late,
            Presence.OFFLINE: self.offline,
            Presence.STOPPED: self.stopped,
        }.get(presence, self.unknown)

    def level(self, level: Level) -> str:
        return self.levels[level]

    def series_style(self, index: int) -> SeriesStyle:
        """Colour and dashes of curve `index`: five plain colours first, then the same with dashes."""
        turn, place = divmod(index, len(self.series))
        return SeriesStyle(self.series[place], DASHES[turn % len(DASHES)])


LIGHT = Theme(
    name="light", dark=False,
    window="#f6f7f9", surface="#ffffff", raised="#eceff3", line="#dfe3e9", edge="#c3cad3",
    text="#1b2027", muted="#59636f", accent="#2a5bd0", accent_text="#ffffff",
    selection="#dbe6fb", selection_text="#1b2027",
    warning="#8a5a00", error="#b3261e", good="#0b6b4f",
    online="#0b6b4f", late="#8a5a00", offline="#b3261e", stopped="#5a6470", unknown="#5a6470",
    degraded="#9a4b00", maintenance="#6443b5",
    levels=("#59636f", "#59636f", "#2a5bd0", "#8a5a00", "#b3261e", "#8e1457"),
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000"),
    gap="#e4e7ec",
)  # fmt: skip

DARK = Theme(
    name="dark", dark=True,
    window="#15171b", surface="#1b1e23", raised="#262a31", line="#2d323a", edge="#454c57",
    text="#e5e8ec", muted="#9ca5b1", accent="#7aa7ff", accent_text="#10131a",
    selection="#28406b", selection_text="#f3f6fa",
    warning="#e3b341", error="#ff8a80", good="#4cc38a",
    online="#4cc38a", late="#e3b341", offline="#ff8a80", stopped="#9ca5b1", unknown="#9ca5b1",
    degraded="#f0883e", maintenance="#b79cff",
    levels=("#9ca5b1", "#9ca5b1", "#7aa7ff", "#e3b341", "#ff8a80", "#ff8fc7"),
    series=("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7"),
    gap="#2a2f37",
)  # fmt: skip


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two "#rrggbb" colours as WCAG 2 defines it, 1 to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
