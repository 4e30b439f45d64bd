"""The value axes of a plot: one at the left, and where curves come in two units, one at the right."""

import math
from collections.abc import Sequence

from widgets.plots.curves import Curve, Shape, Window
from widgets.plots.plot_summary import extent
from widgets.plots.value_scale import ValueScale


class Axes:
    """Curves in the unit of the right axis belong to it, all others to the left one."""

    def __init__(self, unit: str, floor: float | None) -> None:
        self.left = ValueScale(unit, floor)
        self.right: ValueScale | None = None

    def set_units(self, left: str, right: str | None) -> bool:
        """False: they are so already."""
        if (left, right) == (self.left.unit, None if self.right is None else self.right.unit):
            return False
        self.left.unit = left
        self.left.forget()
        self.right = None if right is None else ValueScale(right)
        return True

    def set_floors(self, left: float | None, right: float | None) -> None:
        """A value of each axis that stays in sight."""
        self.left.set_floor(left)
        if self.right is not None:
            self.right.set_floor(right)

    def forget(self) -> None:
        """Fit the next values closely."""
        for scale in filter(None, (self.left, self.right)):
            scale.forget()

    def of(self, curve: Curve) -> ValueScale:
        """The scale that a curve is drawn by."""
        right = self.right
        return right if right is not None and curve.unit == right.unit else self.left

    def with_unit(self, unit: str) -> ValueScale | None:
        """The scale of values in this unit; None: there is none."""
        if self.right is not None and unit == self.right.unit:
            return self.right
        return self.left if unit == self.left.unit else None

    def fit(
        self, curves: Sequence[Curve], shapes: Sequence[Shape], window: Window, more: Sequence[tuple[float, str]] = ()
    ) -> tuple[float, float]:
        """Make room for what is seen, and for `more` values (with their units); answers the extent of the left axis, or of the right one where the left shows nothing."""
        found = (math.nan, math.nan)
        for scale in filter(None, (self.right, self.left)):
            own = [shape for curve, shape in zip(curves, shapes, strict=True) if self.of(curve) is scale]
            seen = extent(own, window)
            extra = [value for value, unit in more if self.with_unit(unit) is scale]
            if not math.isnan(seen[0]):
                scale.fit(min(seen[0], *extra), max(seen[1], *extra)) if extra else scale.fit(*seen)
            found = seen if math.isnan(found[0]) or not math.isnan(seen[0]) else found
        return found
