"""What agents are called, for lists that hold those of everybody, and the field that chooses one of them."""

from PySide6.QtCore import QCoreApplication, QObject, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QComboBox, QCompleter, QLineEdit, QListView, QWidget

from models.domain.queries import DataSource, Failed, NamesRequest, NamesResult, Result, Ticket
from widgets.common.plain import visible

_NAME_LIMIT = 120
_NOTHING = ("", "")
_BY_KEY = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


class AgentNames(QObject):
    """Knows nothing until the first `refresh`; what it knows stays while a newer answer is on its way. GUI thread."""

    changed = Signal()

    def __init__(self, source: DataSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._ticket: Ticket | None = None
        self._known: dict[int, tuple[str, str]] = {}
        self._shown: dict[int, tuple[str, str]] = {}  # name and title, visible
        self._agents: list[int] = []
        self.version = 0  # rises when names are others

    def refresh(self) -> None:
        """Ask again, unless an answer is on its way."""
        if self._ticket is None:
            self._ticket = self._source.ask(NamesRequest(), self._take)

    @property
    def agents(self) -> list[int]:
        """All agents by what they are called."""
        return self._agents

    def id_of(self, agent: int) -> str:
        """The id that exports use; empty where it is not known."""
        return self._known.get(agent, _NOTHING)[0]

    def name(self, agent: int) -> str:
        """What the window calls an agent, made visible; empty where it is not known."""
        return self._shown.get(agent, _NOTHING)[0]

    def title(self, agent: int) -> str:
        """Name, and id where that is another."""
        return self._shown.get(agent, _NOTHING)[1]

    def _take(self, result: Result | Failed) -> None:
        self._ticket = None
        if not isinstance(result, NamesResult):
            return  # the list beside it tells of the same problem
        known = {agent: (id_, name) for agent, id_, name in zip(result.agent, result.id, result.name, strict=True)}
        if known != self._known:
            self._known = known
            self._shown = {agent: _shown(*one) for agent, one in known.items()}  # once: there may be thousands
            self._agents = sorted(known, key=lambda agent: (self._shown[agent][1].casefold(), agent))
            self.version += 1
            self.changed.emit()


def _shown(id_: str, name: str) -> tuple[str, str]:
    shown = visible(name, _NAME_LIMIT)
    return shown, shown if name == id_ else visible(f"{name} · {id_}", _NAME_LIMIT)


class AgentField(QComboBox):
    """Everybody, or one agent: chosen from the list, or by typing any part of its name or id. GUI thread."""

    chosen = Signal(int)
    """Somebody chose an agent; 0: everybody."""

    def __init__(self, names: AgentNames, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = names
        self._agents: list[int] = []  # by row; given to Qt one by one they would take as long as all the rest
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setMaxVisibleItems(16)
        self.setMinimumContentsLength(20)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        # else every row is measured, whenever the field gets a parent or a style
        self._list().setUniformItemSizes(True)
        self.setAccessibleName(QCoreApplication.translate("AgentField", "Agent"))
        self.setToolTip(QCoreApplication.translate("AgentField", "Type any part of an agent's name or id"))
        completer = QCompleter(self.model(), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.setMaxVisibleItems(16)
        self.setCompleter(completer)
        self._told = 0
        self._fill()
        names.changed.connect(self._fill)
        self.activated.connect(self._activated)
        self._line().editingFinished.connect(self._leave)

    @property
    def agent(self) -> int:
        """Who is chosen; 0: everybody."""
        place = self.currentIndex()
        return self._agents[place] if place >= 0 else 0

    def choose(self, agent: int) -> None:
        """As if somebody had chosen this agent; 0: everybody."""
        self._show(agent)
        self._activated()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in _BY_KEY:  # not where the list of what fits just closed
            self._line().selectAll()

    def _line(self) -> QLineEdit:
        line = self.lineEdit()
        assert line is not None
        return line

    def _list(self) -> QListView:
        view = self.view()
        assert isinstance(view, QListView)
        return view

    @Slot()
    def _fill(self) -> None:
        agent, typed, typing = self.agent, self._line().text(), self._line().isModified()
        with QSignalBlocker(self):
            self._agents = [0, *self._names.agents]
            self.clear()
            self.addItem(QCoreApplication.translate("AgentField", "All agents"))
            self.addItems([self._names.title(one) for one in self._names.agents])
            self._show(agent)
        if typing:  # somebody is just looking for one
            self._line().setText(typed)
            self._line().setModified(True)

    def _show(self, agent: int) -> None:
        if agent not in self._agents:  # what it is called will be known soon
            self._agents.append(agent)
            self.addItem("…")
        self.setCurrentIndex(self._agents.index(agent))

    @Slot()
    def _activated(self) -> None:
        self._line().setModified(False)
        if self.agent != self._told:
            self._told = self.agent
            self.chosen.emit(self.agent)

    @Slot()
    def _leave(self) -> None:
        """Enter, or the focus goes on: nothing typed is everybody; what fits exactly one is that one; else all stays."""
        typed = self._line().text().strip().casefold()
        fitting = [place for place in range(1, self.count()) if typed in self.itemText(place).casefold()]
        if not typed:
            self.setCurrentIndex(0)
        elif typed != self.currentText().casefold() or self._line().isModified():
            exact = [place for place in range(self.count()) if self.itemText(place).casefold() == typed]
            found = exact or (fitting if len(fitting) == 1 else [])
            self.setCurrentIndex(found[0] if found else self.currentIndex())
        self._line().setText(self.itemText(self.currentIndex()))
        self._activated()
