"""Annotations on the histogram of log records: drawn, told under the pointer, and a click leads to their time. And what fails
while it is painted."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from models.domain.annotations import Annotation
from models.domain.queries import LogSummaryRequest, LogSummaryResult
from models.domain.search.terms import EVERYTHING
from tests.widgets.conftest import Desk
from tests.widgets.fakes import SECOND
from widgets.logs.histogram import LogHistogram


def test_annotations_are_told_and_lead_to_their_time(desk: Desk, qtbot: QtBot) -> None:
    since = desk.now - 60 * SECOND
    at_us = since + 30 * SECOND
    desk.source.annotations = [Annotation("1", at_us, at_us, 8, "crawler-2", "Deployed", (), 1)]
    histogram = LogHistogram(desk.theme, desk.cursor, desk.notes)
    qtbot.addWidget(histogram)
    histogram.resize(600, 84)
    with qtbot.waitExposed(histogram):
        histogram.show()
    counts = np.ones((6, 6), np.int64)
    request = LogSummaryRequest(EVERYTHING, since, desk.now, 10 * SECOND)
    histogram.show_result(LogSummaryResult(request, counts, since, (), 36, True))
    before = histogram.grab().toImage()
    desk.notes.refresh()
    desk.source.answer_all()
    assert histogram.grab().toImage() != before
    foot = QPoint(304, 5)  # above the bars

    def told_under_the_pointer() -> bool:
        """Where the pointer stood there already, it has to come anew."""
        qtbot.mouseMove(histogram, QPoint(10, 60))
        qtbot.mouseMove(histogram, foot)
        return "Annotation on crawler-2: Deployed" in QToolTip.text()

    qtbot.waitUntil(told_under_the_pointer)
    pinned: list[int] = []
    desk.cursor.pinned.connect(pinned.append)
    qtbot.mouseClick(histogram, Qt.MouseButton.LeftButton, pos=foot)
    qtbot.mouseClick(histogram, Qt.MouseButton.LeftButton, pos=QPoint(302, 60))
    assert pinned == [at_us]


def test_a_failure_while_it_is_painted_leaves_no_painter_open(
    desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    histogram = LogHistogram(desk.theme, desk.cursor, desk.notes)
    qtbot.addWidget(histogram)
    histogram.resize(600, 84)
    request = LogSummaryRequest(EVERYTHING, desk.now - 60 * SECOND, desk.now, 10 * SECOND)
    histogram.show_result(LogSummaryResult(request, np.ones((6, 6), np.int64), request.since_us, (), 36, True))
    painters = []

    def fail(painter: QPainter, *_: object) -> None:
        painters.append(painter)
        raise ValueError("no bars")

    monkeypatch.setattr(histogram, "_paint_bars", fail)
    with pytest.raises(ValueError, match="no bars"):
        histogram.grab()
    assert not painters[0].isActive()
