"""Where time lies on a widget."""

from dataclasses import dataclass

from PySide6.QtCore import QRectF


@dataclass(slots=True)
class Frame:
    """Where the plot area lies in its widget (logical pixels), and the time it spans."""

    area: QRectF
    since_us: int
    until_us: int

    def x_of(self, at_us: int) -> float:
        """The pixel of a moment."""
        return self.area.left() + (at_us - self.since_us) * self.area.width() / (self.until_us - self.since_us)

    def time_of(self, x: float) -> int:
        """The moment of a pixel."""
        span = self.until_us - self.since_us
        return self.since_us + round((x - self.area.left()) * span / max(self.area.width(), 1.0))
