"""The data screen: what the store holds, what it misses, and the work one can do on it."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QTabWidget, QVBoxLayout, QWidget

from models.domain.control import RecorderState
from models.domain.queries import (
    Failed,
    GapsRequest,
    GapsResult,
    Request,
    Result,
    StoreKind,
    StoreRequest,
    StoreResult,
    Ticket,
    UnreadableRequest,
    UnreadableResult,
)
from models.domain.tail import TailPage
from widgets.common.numbers import value_text
from widgets.common.plain import PlainLabel
from widgets.common.state_view import StateStack, failed, loading
from widgets.common.throttle import Throttle
from widgets.data.held_view import HeldView
from widgets.data.hidden_keys_form import HiddenKeysForm
from widgets.data.missing_view import MissingView
from widgets.data.rates import Rates
from widgets.data.retention_form import Limits, RetentionForm
from widgets.data.store_texts import growth, growth_sentence, held_sentence
from widgets.data.work_view import WorkView
from widgets.frame.screen_context import ScreenContext
from widgets.records.agent_names import AgentNames

HELD_MS, MISSING_MS = 5_000, 10_000
_SECOND_MS = 1_000


class DataScreen(QWidget):
    """While it is hidden it asks for nothing. Days and captures are those of all time; what is missing is that of the time
    range where it is paused, else of all time. GUI thread."""

    span_wanted = Signal(object, object)
    """Somebody wants to look at this time (µs)."""
    teach_wanted = Signal(object)
    """As `MissingView.teach_wanted`."""
    births_wanted = Signal(list)
    """As `MissingView.births_wanted`."""
    message_wanted = Signal(object)
    """Somebody wants to see the message with this `RowKey`."""

    def __init__(self, context: ScreenContext, names: AgentNames) -> None:
        super().__init__()
        theme, clock = context.themes, context.clock
        self._source, self._range, self._names, self._clock = context.source, context.times, names, clock
        self._store: StoreResult | None = None
        self._state: RecorderState | None = None
        self._rates = Rates()
        self._tickets: dict[type, Ticket] = {}
        self.held = HeldView(theme)
        self.retention = RetentionForm()
        self.hidden_keys = HiddenKeysForm()
        self.missing = MissingView(names, theme)
        self.work = WorkView(names, context.times, theme, clock.monotonic_us)
        self._held_stack, self._missing_stack = StateStack(self.held, theme), StateStack(self.missing, theme)
        self._build()
        self._held_again = Throttle(self._ask_held, HELD_MS, self)
        self._missing_again = Throttle(self._ask_missing, MISSING_MS, self)
        self._second = QTimer(self, interval=_SECOND_MS)
        self._second.timeout.connect(self._tell)
        for view in (self.held, self.missing, self.work):
            view.span_wanted.connect(self.span_wanted)
        self.missing.message_wanted.connect(self.message_wanted)
        self.missing.teach_wanted.connect(self.teach_wanted)
        self.missing.births_wanted.connect(self.births_wanted)
        self.retention.edited.connect(self._tell)
        self.tabs.currentChanged.connect(self._ask)
        context.times.changed.connect(self._range_changed)
        context.tail.follow(self._take_page)

    def _build(self) -> None:
        self._sentence, self._growth, self._rate = PlainLabel(), PlainLabel(), QLabel()
        self._sentence.setAccessibleName(self.tr("What is held"))
        self._enlarge()
        for label in (self._growth, self._rate):
            label.setProperty("tone", "muted")
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._held_stack, self.tr("Held"))
        self.tabs.addTab(self._missing_stack, self.tr("Missing"))
        self.tabs.addTab(self.retention, self.tr("Retention"))
        self.tabs.addTab(self.hidden_keys, self.tr("Hidden keys"))
        self.tabs.addTab(self.work, self.tr("Export, import, check, read again"))
        second = QHBoxLayout()
        second.setSpacing(18)
        second.addWidget(self._rate)
        second.addWidget(self._growth, 1)
        head = QVBoxLayout()
        head.setContentsMargins(12, 10, 12, 6)
        head.setSpacing(2)
        head.addWidget(self._sentence)
        head.addLayout(second)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.tabs, 1)
        self.setFocusProxy(self.tabs)
        self._tell()

    # ------------------------------------------------------------ from outside

    def show_reading(self) -> None:
        """It is only looked at: nothing grows, has a limit, or takes in what is imported."""
        self._growth.hide()
        self._rate.hide()
        for form in (self.retention, self.hidden_keys):
            self.tabs.setTabVisible(self.tabs.indexOf(form), False)
        self.work.show_reading()
        self.missing.teach.hide()
        self.missing.births.hide()

    def show_work(self) -> WorkView:
        """Bring exports, imports and checks to the front."""
        self.tabs.setCurrentWidget(self.work)
        return self.work

    def show_missing(self) -> None:
        """Bring gaps and unreadable topics to the front."""
        self.tabs.setCurrentWidget(self._missing_stack)

    def show_recorder(self, state: RecorderState | None) -> None:
        """The recorder's last answer; None: there is none that answers."""
        self._state = state
        self._tell()

    def show_limits(self, limits: Mapping[StoreKind, Limits]) -> None:
        """The limits that are in force."""
        self.retention.show_limits(limits)
        self._tell()

    @property
    def store(self) -> StoreResult | None:
        """What is held, as last told."""
        return self._store

    @Slot()
    def refresh(self) -> None:
        """Ask for everything that is seen again."""
        for ticket in self._tickets.values():
            ticket.cancel()
        self._tickets.clear()
        self._ask()

    # ------------------------------------------------------------ asking

    @Slot()
    def _ask(self) -> None:
        if self.isVisible():
            self._ask_held()
            self._ask_missing()
            self._names.refresh()

    def _ask_held(self) -> None:
        self._put(StoreRequest(), self._take_store)

    def _ask_missing(self) -> None:
        if self.tabs.currentWidget() is not self._missing_stack:
            return
        now = self._range.current()
        since, until = (0, 0) if now.live else (now.since_us, now.until_us)
        self._put(GapsRequest(since, until), self._take_missing)
        self._put(UnreadableRequest(since, until), self._take_missing)

    def _put(self, request: Request, deliver: object) -> None:
        """One question of a kind at a time."""
        kind = type(request)
        if kind not in self._tickets:
            self._tickets[kind] = self._source.ask(request, deliver)  # type: ignore[arg-type]

    def _take_page(self, page: TailPage) -> None:
        self._rates.note(self._clock.monotonic_us(), page.messages, page.samples)
        if self.isVisible() and page.batches:
            self._held_again.want()
            if self._range.live and self.tabs.currentWidget() is self._missing_stack:
                self._missing_again.want()

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        for kind in (GapsRequest, UnreadableRequest):
            if kind in self._tickets:
                self._tickets.pop(kind).cancel()
        if self.isVisible():
            self._ask_missing()

    # ------------------------------------------------------------ answers

    def _take_store(self, result: Result | Failed) -> None:
        self._tickets.pop(StoreRequest, None)
        if isinstance(result, Failed):
            if self._store is None:
                self._held_stack.show_state(failed(result.problem, self.refresh))
            return
        assert isinstance(result, StoreResult)
        self._store = result
        self.held.show_store(result)
        self.retention.show_store(result)
        self.missing.show_repeated(result.duplicates)
        self._held_stack.show_content()
        self._tell()

    def _take_missing(self, result: Result | Failed) -> None:
        self._tickets.pop(type(result.request), None)
        if isinstance(result, Failed):
            self._missing_stack.show_state(failed(result.problem, self.refresh))
            return
        if isinstance(result, GapsResult):
            self.missing.show_gaps(result)
        elif isinstance(result, UnreadableResult):
            self.missing.show_unreadable(result)
        self._missing_stack.show_content()

    @Slot()
    def _tell(self) -> None:
        if self._store is None:
            self._sentence.set_text(loading().sentence)
            return
        self._sentence.set_text(held_sentence(self._store))
        self._growth.set_text(self._growth_text(self.retention.limits))
        self.retention.show_growth(self._growth_text(self.retention.typed))
        text = self._rate_text()
        self._rate.setText(text)
        self._rate.setVisible(bool(text))

    def _growth_text(self, limits: Mapping[StoreKind, Limits] | None) -> str:
        assert self._store is not None
        gib, days = (limits or {}).get(StoreKind.RECORDED, Limits(0, 0))
        return growth_sentence(growth(self._store, self._state, gib), days)

    def _rate_text(self) -> str:
        now = self._rates.at(self._clock.monotonic_us())
        if now is None:
            return ""
        text = self.tr("{messages} messages/s, {samples} samples/s")
        messages, samples = (value_text(round(one, 1) if one < 100 else round(one)) for one in now)
        return text.replace("{messages}", messages).replace("{samples}", samples)

    # ------------------------------------------------------------ Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._second.start()
        self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._second.stop()
        for ticket in self._tickets.values():
            ticket.cancel()
        self._tickets.clear()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._enlarge()

    def _enlarge(self) -> None:
        if hasattr(self, "_sentence"):
            font = self.font()
            font.setPixelSize(round(self.fontInfo().pixelSize() * 1.25))
            self._sentence.setFont(font)
