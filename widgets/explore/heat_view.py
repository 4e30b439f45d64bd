"""A panel as a heat-map of all agents: search and order above, the map below."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QHideEvent, QPainter, QShowEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QMenu, QScrollBar, QWidget

from models.domain.layouts.layout import Shown
from models.domain.quantity import format_time
from widgets.common.numbers import count_text, duration_text, value_text
from widgets.common.plain import PlainLabel
from widgets.common.throttle import Throttle
from widgets.common.words import problem_text
from widgets.explore.panel_curves import PanelCurve
from widgets.explore.panel_sentences import nothing_measured
from widgets.explore.panel_view import PanelView
from widgets.frame.screen_context import ScreenContext
from widgets.heat.feed import HeatFeed
from widgets.heat.heat_table import Cells, HeatTable, heat_csv
from widgets.heat.order import Order, fitting, highest, in_order, newest, searched_texts
from widgets.heat.subject import HeatSubject
from widgets.heat.surface import HeatSurface
from widgets.plots.plot_data import MOST_COPIED

_SEARCH_PIXELS = 190
_MOVE_MS = 1_000


class HeatView(PanelView):
    """`show_subject` says of what. It asks for its cells itself, while somebody sees it. GUI thread."""

    moment_wanted = Signal(object)
    """Show what happened (`Way`) where the cursor stands."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context)
        self.feed = HeatFeed(context.source, context.tail, context.times, self)
        self.surface = self.over_time = HeatSurface(context, self.feed)
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setPlaceholderText(self.tr("Search agents"))
        self.search.setAccessibleName(self.search.placeholderText())
        self.search.setMaximumWidth(_SEARCH_PIXELS)
        self.order = QComboBox()
        self.order.setAccessibleName(self.tr("Order of the agents"))
        for order, text in (
            (Order.HIGHEST, self.tr("Highest first")), (Order.NEWEST, self.tr("Newest value")),
            (Order.LOWEST, self.tr("Lowest first")), (Order.NAME, self.tr("By name")),
        ):  # fmt: skip
            self.order.addItem(text, order)
        self._told = PlainLabel()
        self._told.setProperty("tone", "muted")
        self._bar = QScrollBar()
        self._head = QWidget()
        self._fits = np.zeros(0, np.int64)
        self._searched_texts: list[str] = []
        self._ordered = (-1, -1)  # load and newest step when the rows were put in order
        self._title = self._summed = ""
        self._told_of: Sequence[object] = ()  # what `_summed` was made of
        self._wall = context.clock
        self.menu_us: int | None = None
        """Where the mouse opened its menu last; None: it was opened in another way."""
        self._moved_on = Throttle(self.data_changed, _MOVE_MS, self)
        self._build()
        self.inner += [self.surface, self.search, self.order]
        self.feed.changed.connect(self._cells_changed)
        self.search.textChanged.connect(self._searched)
        self.search.returnPressed.connect(self.surface.setFocus)
        self.order.currentIndexChanged.connect(self._reordered)
        self.surface.scrolled.connect(self._scrolled)
        self.surface.row_changed.connect(self._describe)
        self.surface.opened.connect(self._open)
        self.surface.copy_wanted.connect(self.copy)
        self.surface.moment_wanted.connect(self.moment_wanted)
        self._bar.valueChanged.connect(self.surface.scroll_to)

    def _build(self) -> None:
        head = QHBoxLayout(self._head)
        head.setContentsMargins(8, 2, 6, 2)
        for widget in (self.search, self.order):
            head.addWidget(widget)
        head.addWidget(self._told, 1)
        grid = QGridLayout(self)
        grid.setContentsMargins(1, 0, 1, 1)
        grid.setSpacing(0)
        grid.addWidget(self._head, 0, 0, 1, 2)
        grid.addWidget(self.surface, 1, 0)
        grid.addWidget(self._bar, 1, 1)
        grid.setRowStretch(1, 1)
        self.surface.hide()
        self._bar.hide()

    # ------------------------------------------------------------ what it shows

    def show_subject(self, subject: HeatSubject | None) -> None:
        """Which series of which agents; None: nobody has it."""
        if subject != self.feed.subject:
            self.feed.show(subject)
            self._searched_texts = [] if subject is None else searched_texts(subject.names, subject.ids)
            self._searched()

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self._title = name
        self.surface.setAccessibleName(self.tr("{title}, heat-map of agents").replace("{title}", name))

    @property
    def agent_at_hand(self) -> int:
        """Of the row that is pointed at, else of the one at hand; 0: none is."""
        subject, cell = self.feed.subject, self.surface.cell
        return subject.rows[cell.row].agent if subject is not None and cell is not None else 0

    @property
    def name_at_hand(self) -> str:
        """What that agent is called."""
        subject, cell = self.feed.subject, self.surface.cell
        return subject.names[cell.row] if subject is not None and cell is not None else ""

    @Slot()
    def _searched(self) -> None:
        subject = self.feed.subject
        self._fits = np.zeros(0, np.int64)
        if subject is not None:
            self._fits = fitting(self.search.text(), self._searched_texts)
        self._reordered()

    @Slot()
    def _reordered(self) -> None:
        feed = self.feed
        value = self._seen() if feed.value.shape[0] > int(self._fits.max(initial=-1)) else feed.value[:, :0]
        self._ordered = feed.loads, feed.first_us // feed.step_us + feed.value.shape[1]
        self.surface.set_rows(in_order(self._fits, value, Order(self.order.currentData())))
        self.data_changed()

    def _seen(self) -> np.ndarray:
        """Cells of all agents in the time that is seen."""
        feed, (low, high) = self.feed, self._steps()
        return feed.value[:, low:high]

    def _steps(self) -> tuple[int, int]:
        feed, now = self.feed, self._range.current()
        low = max(0, (now.since_us - feed.first_us) // feed.step_us)
        return low, max(low, -(-(now.until_us - feed.first_us) // feed.step_us))

    @Slot()
    def _cells_changed(self) -> None:
        """While time goes on rows change places only when a step ends, and never under the pointer."""
        feed = self.feed
        now = feed.loads, feed.first_us // feed.step_us + feed.value.shape[1]
        if now[0] != self._ordered[0] or (now != self._ordered and not self.surface.is_pointed_at):
            self._reordered()
        else:
            self.surface.set_rows(self.surface.rows)
        self.data_changed()

    def time_passed(self) -> None:
        """While live it moves on, with other steps than a curve."""
        self._moved_on.want()

    # ------------------------------------------------------------ as a view of a panel

    def _arrange(self, _shown: Sequence[PanelCurve]) -> str:
        rows = self.surface.rows
        some = bool(len(rows)) and self.feed.value.shape[1] > 0 and not np.isnan(self._seen()[rows]).all()
        self.surface.setVisible(some)
        self._bar.setVisible(some and self.surface.furthest > 0)
        self._head.setVisible(self.feed.subject is not None)
        self.setFocusProxy(self.surface if some else None)  # type: ignore[arg-type]  # None is nobody
        if not some:
            self._told.set_text("")
            self._told_of = ()
            return ""
        self.surface.data_changed()
        now = self.feed.value, rows, self._steps(), self.feed.loading, self.feed.problem
        if not _same(now, self._told_of):  # of thousands of rows words take a while
            self._told_of, self._summed = now, self._summary()
            self._told.set_text(self._counts())
            self._describe()
        return self._summed

    def _counts(self) -> str:
        """How many agents are listed, and what is not."""
        subject, feed = self.feed.subject, self.feed
        assert subject is not None
        listed, every = len(self.surface.rows), len(subject.rows)
        text = self.tr("{n} agents") if listed == every else self.tr("{n} of {all} agents")
        told = [text.replace("{n}", count_text(listed)).replace("{all}", count_text(every))]
        if silent := int(np.isnan(self._seen()[self.surface.rows]).all(axis=1).sum()):
            told.append(self.tr("{n} without data").replace("{n}", count_text(silent)))
        if subject.left_out:
            told.append(self.tr("{n} tell it in another unit").replace("{n}", count_text(subject.left_out)))
        if feed.problem is not None:
            told.append(problem_text(feed.problem)[0])
        elif feed.loading:
            told.append(self.tr("Loading…"))
        return " · ".join(told)

    def _summary(self) -> str:
        """For who does not see colours."""
        subject, rows, value = self.feed.subject, self.surface.rows, self._seen()[self.surface.rows]
        assert subject is not None
        high = highest(value)
        place = int(np.nanargmax(high))
        step = int(np.nanargmax(value[place])) + self._steps()[0]
        at_us = self.feed.first_us + step * self.feed.step_us
        text = self.tr("{title} of {counts}: highest {high} at {agent}, {time}; newest there {newest}")
        for key, word in (
            ("title", self._title), ("counts", self._counts()), ("high", value_text(float(high[place]), subject.unit)),
            ("agent", subject.names[int(rows[place])]), ("time", format_time(at_us, None, self.span[1])),
            ("newest", value_text(float(newest(value[place : place + 1])[0]), subject.unit)),
        ):  # fmt: skip
            text = text.replace("{" + key + "}", word)
        return text

    @Slot()
    def _describe(self) -> None:
        """What is pointed at, and else what all of it comes to."""
        self.surface.setAccessibleDescription(self.surface.cell_text() or self._words)

    def why_nothing(self) -> str:
        feed = self.feed
        if feed.subject is None:
            return ""
        if feed.problem is not None:
            return " ".join(problem_text(feed.problem)).strip()
        if not len(self._fits):
            return self.tr("No agent fits “{words}”").replace("{words}", self.search.text().strip())
        return (
            self.tr("Loading…") if feed.loading else nothing_measured(*self.span, self._wall.wall_us(), feed.gaps, ())
        )

    def resolution(self) -> tuple[str, str]:
        subject = self.feed.subject
        if subject is None:
            return "", ""
        what = {
            Shown.RATE: self.tr("rate"), Shown.P50: "p50", Shown.P95: "p95", Shown.P99: "p99",
        }.get(subject.shown, self.tr("rate") if subject.unit.endswith("/s") else self.tr("mean"))  # fmt: skip
        text = self.tr("{what} in steps of {span}").replace("{what}", what)
        tip = self.tr(
            "Each cell sums up what was observed in so long; zoom in for finer ones. Hatched: nothing was measured."
        )
        return text.replace("{span}", duration_text(self.feed.step_us)), tip

    def cells(self) -> Cells | None:
        """What is listed and seen; None: nothing."""
        subject, rows, (low, high) = self.feed.subject, self.surface.rows, self._steps()
        if subject is None or not len(rows):
            return None
        first_us = self.feed.first_us + low * self.feed.step_us
        return Cells(subject, rows, first_us, self.feed.step_us, self.feed.value[rows, low:high])

    def copy(self) -> None:
        """Put the cells of the agents that are listed on the clipboard as CSV: of the first ones, if they are very many."""
        cells = self.cells()
        if cells is None:
            return
        n, every = _copied(cells), len(cells.rows)
        QGuiApplication.clipboard().setText(heat_csv(cells._replace(rows=cells.rows[:n], value=cells.value[:n])))
        text = self.tr("{n} agents are on the clipboard, as CSV")
        if n < every:
            text = self.tr(
                "The first {n} of {all} agents are on the clipboard; search for agents, or choose a shorter time, for others"
            )
        self.copied.emit(text.replace("{n}", count_text(n)).replace("{all}", count_text(every)))

    # ------------------------------------------------------------ wires

    @Slot(int)
    def _open(self, row: int) -> None:
        if self.feed.subject is not None:
            self.agent_wanted.emit(self.feed.subject.rows[row].agent)

    @Slot()
    def _scrolled(self) -> None:
        self._bar.setRange(0, self.surface.furthest)
        self._bar.setPageStep(self.surface.room)
        self._bar.setSingleStep(self.surface.row_pixels)
        self._bar.setValue(self.surface.top)

    def _fill_menu(self, menu: QMenu) -> None:
        menu.addAction(self.tr("Copy picture"), lambda: QGuiApplication.clipboard().setPixmap(self.grab()))
        text, cells = self.tr("Copy data as CSV"), self.cells()
        if cells is not None and _copied(cells) < len(cells.rows):
            text = self.tr("Copy data as CSV (the first {n} of {all} agents)")
            text = text.replace("{n}", count_text(_copied(cells))).replace("{all}", count_text(len(cells.rows)))
        menu.addAction(text, self.copy)
        menu.addAction(self.tr("Show as table"), self.show_table)
        if (agent := self.agent_at_hand) != 0:
            menu.addSeparator()
            menu.addAction(self.tr("Open the agent\tEnter"), lambda: self.agent_wanted.emit(agent))

    def show_table(self) -> None:
        """What is listed, in words and figures."""
        if (cells := self.cells()) is not None:
            table = HeatTable(self._title, cells, self)
            table.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            table.show()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        at = QPointF(self.surface.mapFrom(self, event.pos()))
        inside = by_mouse and self.surface.isVisible() and self.surface.frame.area.contains(at)
        self.menu_us = self.surface.frame.time_of(at.x()) if inside else None
        super().contextMenuEvent(event)

    def _paint(self, painter: QPainter) -> None:
        """Who stands in it paints."""

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.feed.set_active(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.feed.set_active(False)


def _copied(cells: Cells) -> int:
    """Of how many agents the clipboard takes the cells: more would hold the window up."""
    return min(len(cells.rows), max(1, MOST_COPIED // max(1, cells.value.shape[1])))


def _same(these: Sequence[object], those: Sequence[object]) -> bool:
    """Arrays by what they are, as none is changed in its place."""
    return len(these) == len(those) and all(
        one is other if isinstance(one, np.ndarray) else one == other for one, other in zip(these, those, strict=True)
    )
