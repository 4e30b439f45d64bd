"""The value axis: a range that holds what is shown without jumping about, and round ticks in the unit's own steps."""

import math

from PySide6.QtCore import QLocale

from models.domain.quantity import Scale, format_number, scale_of

_STEADY = 0.45
"""The range shrinks only when what is shown fills less than this part of it."""
_ROOM = 0.06
_LEAST_PART = 0.1
_MANY_DIGITS = 1e6
_LARGE = (Scale(1e-12, "T"), Scale(1e-9, "G"), Scale(1e-6, "M"))


class ValueScale:
    """Range [low, high] of a value axis. `floor` is a value that stays in sight (0 for most), None: none does."""

    def __init__(self, unit: str, floor: float | None = 0.0) -> None:
        self.unit = unit
        self.low, self.high = 0.0, 1.0
        self._floor = floor
        self._set = False

    def fit(self, low: float, high: float) -> None:
        """Make room for the values from `low` to `high`; NaN leaves the range as it is."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return
        if self._floor is not None:
            low, high = min(low, self._floor), max(high, self._floor)
        least = max(abs(low), abs(high)) * _LEAST_PART or 1.0
        if high - low < least:  # a trembling of one part in a thousand is no landscape
            middle = (low + high) / 2
            low, high = (low, low + least) if low == self._floor else (middle - least / 2, middle + least / 2)
        room = (high - low) * _ROOM
        bottom = low if low == self._floor else low - room
        inside = self.low <= low and high <= self.high
        if self._set and inside and (high - low) > _STEADY * (self.high - self.low):
            return
        step = value_step(self.unit, high - bottom, 5)
        self.high = math.ceil((high + room) / step * 2) * step / 2
        self.low = bottom if bottom == self._floor else math.floor(bottom / step * 2) * step / 2
        self._set = True

    def set_floor(self, floor: float | None) -> None:
        """As at the beginning."""
        if floor != self._floor:
            self._floor = floor
            self.forget()

    def forget(self) -> None:
        """Fit the next values closely."""
        self._set = False

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Values with their labels, at most about `most`, but two where it can be: one alone tells no scale."""
        most = max(most, 1)
        values = next(
            (found for pieces in range(most, most + 3) if len(found := self._marks(pieces)) > 1), self._marks(most)
        )
        scale = _axis_scale(self.unit, max(abs(self.low), abs(self.high)))
        return [(value, _label(value * scale.factor, scale.label)) for value in values]

    def _marks(self, pieces: int) -> list[float]:
        step = value_step(self.unit, self.high - self.low, pieces)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [count * step for count in range(first, last + 1)]


def _axis_scale(unit: str, magnitude: float) -> Scale:
    """A bare number of many digits has no room beside a plot; in a list it is told in full."""
    scale = scale_of(unit, magnitude)
    if scale.label or magnitude < _MANY_DIGITS:
        return scale
    return next(one for one in _LARGE if magnitude * one.factor >= 1)


def _label(number: float, unit: str) -> str:
    text = format_number(round(number, 9), QLocale().decimalPoint(), digits=4)
    return f"{text} {unit}" if unit else text


def value_step(unit: str, span: float, most: int) -> float:
    """The finest round step that cuts `span` into at most `most` pieces: powers of two for bytes, whole ones for counts."""
    if not math.isfinite(span) or span <= 0:
        return 1.0
    scale = scale_of(unit, span)
    wanted = span * scale.factor / most
    if scale.label.split("/")[0].endswith(("B", "iB")) and wanted >= 1:
        step = 2.0 ** math.ceil(math.log2(wanted))
    else:
        power = 10.0 ** math.floor(math.log10(wanted))
        step = next(power * part for part in (1, 2, 5, 10) if power * part >= wanted * (1 - 1e-9))
    if unit.startswith("{") and unit.endswith("}"):
        step = max(1.0, step)
    return step / scale.factor
