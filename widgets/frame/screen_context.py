"""What every screen works with."""

from dataclasses import dataclass

from models.domain.clock import Clock
from models.domain.queries import DataSource
from models.domain.tail import Tail
from widgets.common.frame_clock import FrameClock
from widgets.common.theme import ThemeHolder
from widgets.frame.outlet import Outlet
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.notes.book import AnnotationBook


@dataclass(frozen=True, slots=True)
class ScreenContext:
    """Given to a screen when it is made, with a share of the tail of its own; the rest is the same for all of a window."""

    source: DataSource
    tail: Tail
    frames: FrameClock
    times: TimeRangeModel
    cursor: TimeCursor
    themes: ThemeHolder
    clock: Clock
    notes: AnnotationBook
    outlet: Outlet
