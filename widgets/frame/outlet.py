"""Where what a plot or a screen shows is handed over, to leave the window as a file."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken out: `title` is what it is called (it names the file), the rest the time that is seen, µs UTC."""

    title: str
    since_us: int
    until_us: int


class Outlet(QObject):
    """One for a window. Whoever listens asks where to, and writes the file. GUI thread."""

    picture_wanted = Signal(object, object)
    """Keep this picture (`Taken`, `QImage`)."""
    dataset_wanted = Signal(object, str)
    """Write this dataset (`Taken`, its name as exports have it)."""
    data_wanted = Signal(object, object)
    """Write the stored samples of these series (`Taken`, tuple of `Plotted` by agent, metric and labels)."""
