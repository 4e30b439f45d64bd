"""A line through the values of a field, whenever they came."""

from widgets.plots.curves import LineCurve, Reading


class FieldCurve(LineCurve):
    def current(self, until_us: int) -> Reading:  # noqa: ARG002 - the newest there is, however old
        return Reading(self.buffer.latest)
