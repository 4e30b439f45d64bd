"""One clock for everything that is painted often: dirty visible drawables are drawn in turn, some milliseconds a frame.

Staggering keeps the event loop quick: drawing twelve plots at once costs tens of milliseconds, one after another a few.
"""

from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Slot

from models.domain.clock import Clock

FRAME_MS = 16
BUDGET_US = 6_000
LATE_US = 250_000


class Drawable(Protocol):
    """Something that shows data. Compared and hashed by identity; GUI thread."""

    def is_visible_now(self) -> bool:
        """Would anybody see it? Hidden ones are not drawn; they call `mark_dirty` when they are shown."""
        ...

    def draw(self) -> None:
        """Bring what is shown up to date with the data. What takes long belongs on a reader thread."""
        ...


class FrameClock(QObject):
    """Calls `draw` of dirty visible drawables, the one that waits longest first, until 6 ms of a frame are spent.

    Its timer runs only while something dirty is visible. Keeps no drawable alive. GUI thread.
    """

    def __init__(self, clock: Clock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._registered: WeakSet[Drawable] = WeakSet()
        self._dirty_since: WeakKeyDictionary[Drawable, int] = WeakKeyDictionary()  # in the order of their turn
        self._late = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def running(self) -> bool:
        """Does the timer run?"""
        return self._timer.isActive()

    @property
    def late(self) -> int:
        """Draws so far that came later than 250 ms after their data."""
        return self._late

    def register(self, drawable: Drawable) -> None:
        """From now on `mark_dirty` takes it. Twice is harmless."""
        self._registered.add(drawable)

    def unregister(self, drawable: Drawable) -> None:
        """It is not drawn any more. Safe for one that was never registered."""
        self._registered.discard(drawable)
        self._dirty_since.pop(drawable, None)

    def mark_dirty(self, drawable: Drawable) -> None:
        """Draw it soon, if it is visible; one that is not registered (any more) is left alone."""
        if drawable not in self._registered:
            return
        now_us = self._clock.monotonic_us()
        if drawable.is_visible_now():
            self._dirty_since.setdefault(drawable, now_us)
            if not self._timer.isActive():
                self._timer.start()

    @Slot()
    def tick(self) -> None:
        """Draw one frame's share. At least one drawable is drawn, however long it takes."""
        end_us = self._clock.monotonic_us() + BUDGET_US
        try:
            for drawable, since_us in list(self._dirty_since.items()):
                # taken off first: one that fails must not be drawn for ever, one that dirties itself waits for its next turn
                self._dirty_since.pop(drawable, None)
                if isinstance(drawable, QObject) and not shiboken6.isValid(drawable):
                    continue  # its window was taken apart meanwhile
                if not drawable.is_visible_now():
                    continue
                self._late += self._clock.monotonic_us() - since_us > LATE_US
                drawable.draw()
                if self._clock.monotonic_us() >= end_us:
                    break
        finally:
            if not self._dirty_since:
                self._timer.stop()
