"""What the command palette offers: actions, agents, recent workspaces, and the time range or moment that is being typed."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from app.window.layout_file import LayoutFile
from models.domain.presence_words import Condition, Presence
from models.domain.problems import EnvironmentProblem
from models.domain.quantity import format_time
from widgets.common.actions import ActionRegistry
from widgets.common.plain import visible
from widgets.common.theme import ThemeHolder
from widgets.common.words import presence_word
from widgets.frame.main_window import MainWindow
from widgets.frame.palette_search import PaletteEntry

if TYPE_CHECKING:  # the first brings numpy, the second many of Qt's classes: both wait until the first paint
    from models.domain.queries import FleetResult
    from widgets.frame.command_palette import CommandPalette

USED = "palette"
"""In the layout file: keys of what was used, the last first."""
KEPT = 50
ID = "go.palette"
NAME_LIMIT, DETAIL_LIMIT = 120, 200


class Palette(QObject):
    """Adds its action and opens the palette over the window. GUI thread."""

    def __init__(
        self,
        window: MainWindow,
        actions: ActionRegistry,
        themes: ThemeHolder,
        file: LayoutFile | None,
        fleet: "Callable[[], FleetResult | None]",
        open_agent: Callable[[int], object],
    ) -> None:
        """`file` None: what was used is forgotten with the window. `fleet`: the agents, as far as they are known."""
        super().__init__(window)
        self._window, self._actions, self._themes, self._file = window, actions, themes, file
        self._fleet, self._open_agent = fleet, open_agent
        self._others: list[Callable[[], Iterable[PaletteEntry]]] = []
        self._palette: CommandPalette | None = None
        saved = file.load().get(USED) if file is not None else None
        self._used = [str(key) for key in saved] if isinstance(saved, list) else []
        actions.add(
            ID, self.tr("Command &palette…"), self.open, "Ctrl+K", "search", "Go", also="Ctrl+Shift+P",
            tip=self.tr("Find a command, an agent, a workspace or a time range by typing"),
        )  # fmt: skip

    def offer(self, entries: Callable[[], Iterable[PaletteEntry]]) -> None:
        """Offer these, too; asked whenever the palette opens."""
        self._others.append(entries)

    @Slot()
    def open(self) -> None:
        """Over the window, with everything that can be done now."""
        from widgets.frame.command_palette import CommandPalette  # the first paint does not wait for it

        if self._palette is None:
            from widgets.frame.command_palette import CommandPalette

            self._palette = CommandPalette(self._themes, self._remember, self._window)
        others = [entry for entries in self._others for entry in entries()]
        self._palette.open_with([*self._commands(), *others, *self._agents()], self._used, self._typed)

    def _commands(self) -> list[PaletteEntry]:
        return [
            PaletteEntry(entry.id, entry.text, entry.menu, entry.action.trigger, entry.shortcut, entry.action.icon())
            for entry in self._actions.entries()
            if entry.action.isEnabled() and entry.action.menu() is None and entry.id != ID
        ]

    def _agents(self) -> list[PaletteEntry]:
        fleet = self._fleet()
        if fleet is None:
            return []
        icons = self._themes.icons
        states = {
            (presence, condition): (
                icons.presence(Presence(presence), Condition(condition)),
                presence_word(Presence(presence), Condition(condition)),
            )
            for presence, condition in set(zip(fleet.presence.tolist(), fleet.condition.tolist(), strict=True))
        }
        entries, gone = [], self.tr("retired")
        rows = zip(fleet.agent.tolist(), fleet.id, fleet.name, fleet.group, fleet.presence.tolist(),
                   fleet.condition.tolist(), fleet.retired.tolist(), strict=True)  # fmt: skip
        for agent, id_, name, group, presence, condition, retired in rows:
            icon, word = states[presence, condition]
            told = " · ".join(filter(None, (id_ if name else "", group, gone if retired else word)))
            title = visible(name or id_, NAME_LIMIT)
            open_ = partial(self._open_agent, agent)
            entries.append(PaletteEntry(f"agent:{id_}", title, visible(told, DETAIL_LIMIT), open_, "", icon))
        return entries

    def _typed(self, text: str) -> list[PaletteEntry]:
        """The time range or the moment that was typed."""
        times = self._window.time_range
        try:
            chosen = times.read(text)
        except EnvironmentProblem:
            return self._moment(text)
        said = self.tr("Show {range}").replace("{range}", chosen.as_text())
        icon = self._themes.icons.icon("clock", "muted")
        detail = self.tr("Live") if chosen.live else self.tr("Time range")
        return [PaletteEntry("", said, detail, lambda: times.from_text(text), "", icon)]

    def _moment(self, text: str) -> list[PaletteEntry]:
        try:
            at_us = self._window.time_range.read_moment(text)
        except EnvironmentProblem:
            return []
        told = self.tr("Everything as it was at {time}").replace("{time}", format_time(at_us))
        icon = self._themes.icons.icon("clock", "muted")
        return [PaletteEntry("", told, self.tr("Moment"), partial(self._window.time_cursor.pin, at_us), "", icon)]

    def _remember(self, key: str) -> None:
        self._used = [key, *(one for one in self._used if one != key)][:KEPT]
        if self._file is not None:
            self._file.save({USED: self._used})
