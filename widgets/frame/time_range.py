"""The one time range and the one time cursor that all screens of a window share."""

from PySide6.QtCore import QObject, Signal, Slot

from models.domain.clock import Clock
from models.domain.time_range import UNITS_US, TimeRange, fixed_range, live_range, parse_moment, parse_range

MINUTE_US, HOUR_US, DAY_US = UNITS_US["m"], UNITS_US["h"], UNITS_US["d"]
PRESETS_US = (5 * MINUTE_US, 15 * MINUTE_US, HOUR_US, 6 * HOUR_US, DAY_US, 7 * DAY_US)
HISTORY_LIMIT = 50


class TimeRangeModel(QObject):
    """What stretch of time is looked at, and the way back to earlier ones. GUI thread.

    `changed` tells of what somebody chose. While live the range moves on by itself without a signal: whoever draws asks
    `current()` with every frame.
    """

    changed = Signal(object)  # TimeRange

    def __init__(self, clock: Clock, span_us: int = 15 * MINUTE_US, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._chosen = live_range(span_us, clock.wall_us())
        self._past: list[TimeRange] = []
        self._future: list[TimeRange] = []

    def current(self) -> TimeRange:
        """The range as it is at this moment."""
        if self._chosen.live:
            return live_range(self._chosen.span_us, self._clock.wall_us())
        return self._chosen

    @property
    def live(self) -> bool:
        return self._chosen.live

    @property
    def can_go_back(self) -> bool:
        return bool(self._past)

    @property
    def can_go_forward(self) -> bool:
        return bool(self._future)

    def show_last(self, span_us: int) -> None:
        """The last `span_us`, live."""
        self._choose(live_range(span_us, self._clock.wall_us()))

    def zoom(self, since_us: int, until_us: int, *, remember: bool = True) -> None:
        """Look at exactly this stretch; pauses. `remember` false: a step of a drag that goes on, so "back" leads to
        where the drag began."""
        self._choose(fixed_range(since_us, until_us), remember=remember)

    @Slot()
    def pause(self) -> None:
        """Hold what is seen now. Recording goes on."""
        if self.live:
            now = self.current()
            self._choose(fixed_range(now.since_us, now.until_us))

    @Slot()
    def resume(self) -> None:
        """Follow the present with the span that is seen."""
        if not self.live:
            self.show_last(self._chosen.span_us)

    @Slot()
    def toggle(self) -> None:
        """Live or paused, the other of both."""
        if self.live:
            self.pause()
        else:
            self.resume()

    @Slot()
    def back(self) -> None:
        """To the range before this one."""
        if self._past:
            self._future.append(self._chosen)
            self._take(self._past.pop())

    @Slot()
    def forward(self) -> None:
        """To where `back` came from."""
        if self._future:
            self._past.append(self._chosen)
            self._take(self._future.pop())

    def as_text(self) -> str:
        """Pasteable: `live 15m`, or both ends in UTC."""
        return self.current().as_text()

    def from_text(self, text: str) -> None:
        """Show what the text says. Raises `EnvironmentProblem` "time.unreadable"."""
        self._choose(self.read(text))

    def read(self, text: str) -> TimeRange:
        """The range that the text says. Raises as above."""
        return parse_range(text, self._clock.wall_us())

    def read_moment(self, text: str) -> int:
        """The moment that the text says, in microseconds UTC. Raises as above."""
        return parse_moment(text, self._clock.wall_us())

    def _choose(self, chosen: TimeRange, *, remember: bool = True) -> None:
        same = chosen.live == self._chosen.live and (
            chosen.span_us == self._chosen.span_us if chosen.live else chosen == self._chosen
        )
        if same:
            return
        if remember:
            self._past = [*self._past, self._chosen][-HISTORY_LIMIT:]
            self._future.clear()
        self._take(chosen)

    def _take(self, chosen: TimeRange) -> None:
        self._chosen = chosen
        self.changed.emit(self.current())


class TimeCursor(QObject):
    """The moment under the pointer, shared by plots, tables and logs; and the one that was pinned, at which the whole window
    stands. GUI thread."""

    moved = Signal(object)  # microseconds UTC, or None where it left
    pinned = Signal(object)  # as above; None: the window is of now again

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.time_us: int | None = None
        self.pinned_us: int | None = None

    def move(self, time_us: int | None) -> None:
        """Put the cursor there; None takes it away, to where it was pinned."""
        time_us = self.pinned_us if time_us is None else time_us
        if time_us != self.time_us:
            self.time_us = time_us
            self.moved.emit(time_us)

    def pin(self, time_us: int | None) -> None:
        """Show everything as it was at this moment; None: let go."""
        if time_us != self.pinned_us:
            self.pinned_us = time_us
            self.move(time_us)
            self.pinned.emit(time_us)
