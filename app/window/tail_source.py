"""The live feed for the widgets: one thread follows the store, pages reach the GUI thread at most once a frame."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np
from PySide6.QtCore import QObject, QTimer, Slot

from app.window.gui_inbox import GuiInbox, still_there
from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem
from models.domain.queries import PresenceColumns, SeriesColumns
from models.domain.tail import Interest, TailCursor, TailPage

WATCHED_S = 0.05
UNWATCHED_S = 1.0
TROUBLE_S = 1.0
FRAME_US = 16_000
JOIN_LIMIT_S = 5.0

log = logging.getLogger(__name__)

Deliver = Callable[[TailPage], None]


class Reader(Protocol):
    """What looks at the store; `models.storage.history.tail_reader.TailReader` is one."""

    def poll(self, cursor: TailCursor, interest: Interest) -> TailPage: ...
    def close(self) -> None: ...


class TailSource(QObject):
    """Implements `Tail`. All methods and what is delivered: GUI thread.

    Looks 20 times a second while somebody sees plots (a series is wanted) or lists, else once a second. Pages that the GUI
    thread had no time for are merged, never queued. `newest_received_us` and `committed_us` of a page are those of the
    store, so that whoever paints it can tell how old the data is by then.
    """

    def __init__(self, make_reader: Callable[[], Reader], clock: Clock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_reader, self._clock = make_reader, clock
        self._inbox = GuiInbox(self)
        self._followers: list[Deliver] = []
        self._lock = threading.Lock()
        self._interest = Interest()
        self._page: TailPage | None = None  # gathered, not delivered yet; guarded by `_lock`
        self._announced = False
        self._watched = self._lists = False
        self._turn = threading.Event()
        self._ending = False
        self._last_us = 0
        self._frame = QTimer(self, singleShot=True)
        self._frame.timeout.connect(self._deliver)
        self._thread = threading.Thread(target=self._run, name="tail", daemon=True)

    def start(self) -> None:
        """Begin to look; from the present end of the store."""
        self._thread.start()

    def follow(self, deliver: Deliver) -> None:
        """As in `Tail`."""
        self._followers.append(deliver)

    def set_interest(self, interest: Interest) -> None:
        """As in `Tail`."""
        with self._lock:
            self._interest = interest
        self._turn.set()

    def set_watched(self, watched: bool, *, lists: bool) -> None:
        """Does anybody see the window, and in it lists that grow with the store?"""
        if (watched, lists) != (self._watched, self._lists):
            self._watched, self._lists = watched, lists
            self._turn.set()

    def shutdown(self) -> None:
        """End the thread. Harmless where it was never started."""
        self._ending = True
        self._turn.set()
        if self._thread.ident is not None:
            self._thread.join(JOIN_LIMIT_S)
            if self._thread.is_alive():
                log.error("the tail did not end within %s s", JOIN_LIMIT_S)
        self._inbox.close()

    # ------------------------------------------------------------ delivery, GUI thread

    def _page_waits(self) -> None:
        left_us = self._last_us + FRAME_US - self._clock.monotonic_us()
        if self._last_us and left_us > 0:
            self._frame.start(left_us // 1_000 + 1)
        else:
            self._deliver()

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            page, self._page, self._announced = self._page, None, False
        if page is None:
            return
        self._last_us = self._clock.monotonic_us()
        self._followers = [one for one in self._followers if still_there(one)]
        for deliver in self._followers:
            try:
                deliver(page)
            except Exception:
                log.exception("a page of the tail could not be shown")

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        reader: Reader | None = None
        cursor = TailCursor()
        told, annotation_changes = "", 0
        while not self._ending:
            fast = self._watched and (self._lists or self._interest.series)
            pause_s = WATCHED_S if fast else UNWATCHED_S
            try:
                if reader is None:
                    reader = self._make_reader()
                page = reader.poll(cursor, self._interest)
                cursor, told = page.cursor, ""
                marked = page.annotation_changes != annotation_changes
                annotation_changes = page.annotation_changes
                if page.batches or page.new_names or marked:
                    self._gather(page)
            except Exception as error:  # noqa: BLE001 - told by `_tell_once`; the thread outlives everything
                told = _tell_once(told, error)
                _close(reader)
                reader, pause_s = None, TROUBLE_S
            self._turn.wait(pause_s)
            self._turn.clear()
        _close(reader)

    def _gather(self, page: TailPage) -> None:
        with self._lock:
            self._page = page if self._page is None else merged(self._page, page)
            if self._announced:
                return
            self._announced = True
        self._inbox.put(self._page_waits)


def _tell_once(told: str, error: Exception) -> str:
    """Log what is new; the same thing every second says nothing more. A problem around us (no workspace yet, a file just
    removed) is the recorder's to mend."""
    text = f"{type(error).__name__}: {error}"
    if text == told:
        return told
    if isinstance(error, EnvironmentProblem):
        log.info("the store cannot be followed: %s", error)
    else:
        log.error("following the store failed", exc_info=error)
    return text


def _close(reader: Reader | None) -> None:
    if reader is not None:
        try:
            reader.close()
        except Exception:
            log.exception("the tail's reader could not be closed")


def merged(first: TailPage, second: TailPage) -> TailPage:
    """Two pages in a row as one."""
    points: dict[int, SeriesColumns] = {one.series: one for one in first.points}
    for one in second.points:
        points[one.series] = _joined(points[one.series], one) if one.series in points else one
    return TailPage(
        cursor=second.cursor,
        batches=first.batches + second.batches,
        messages=first.messages + second.messages,
        samples=first.samples + second.samples,
        logs=first.logs + second.logs,
        tasks=first.tasks + second.tasks,
        new_names=first.new_names or second.new_names,
        committed_us=max(first.committed_us, second.committed_us),
        newest_received_us=max(first.newest_received_us, second.newest_received_us),
        points=tuple(points.values()),
        presence=PresenceColumns(
            np.concatenate((first.presence.time_us, second.presence.time_us)),
            np.concatenate((first.presence.agent, second.presence.agent)),
            np.concatenate((first.presence.presence, second.presence.presence)),
            np.concatenate((first.presence.condition, second.presence.condition)),
            first.presence.cause + second.presence.cause,
        ),
        annotation_changes=second.annotation_changes,
    )


def _joined(first: SeriesColumns, second: SeriesColumns) -> SeriesColumns:
    received_us = np.concatenate((first.received_us, second.received_us))
    order = np.argsort(received_us, kind="stable")
    return SeriesColumns(
        first.series,
        np.concatenate((first.time_us, second.time_us))[order],
        received_us[order],
        np.concatenate((first.value, second.value))[order],
        first.reduced or second.reduced,
    )
