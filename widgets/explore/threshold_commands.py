"""Thresholds of the panel at hand: set, moved, taken away."""

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLineEdit

from models.domain.layouts.layout import MOST_THRESHOLDS, Watched
from models.domain.quantity import scale_of
from widgets.explore.line_dialog import ask_line

if TYPE_CHECKING:
    from widgets.explore.layout_commands import LayoutCommands


class ThresholdCommands(QObject):
    """Every change is one of the layout. GUI thread."""

    def __init__(self, commands: "LayoutCommands") -> None:
        super().__init__(commands)
        self._commands = commands

    def add(self, value: float, unit: str) -> None:
        """One more, in a unit as it is drawn in."""
        panel = self._commands.panel
        if len(panel.thresholds) == MOST_THRESHOLDS:
            self._commands.told.emit(self.tr("A panel has {n} thresholds at most").replace("{n}", str(MOST_THRESHOLDS)))
            return
        more = replace(panel, thresholds=(*panel.thresholds, Watched(value, unit)))
        self._commands.put(self.tr("setting a threshold"), more)

    def move(self, panel: int, place: int, value: float) -> None:
        """Another value for one of them."""
        found = self._commands.panel_of(panel)
        if found is not None and place < len(found.thresholds):
            moved = list(found.thresholds)
            moved[place] = moved[place]._replace(value=value)
            self._commands.put(self.tr("moving a threshold"), replace(found, thresholds=tuple(moved)))

    def remove(self, place: int) -> None:
        """Take one away."""
        panel = self._commands.panel
        left = (*panel.thresholds[:place], *panel.thresholds[place + 1 :])
        self._commands.put(self.tr("removing a threshold"), replace(panel, thresholds=left))

    def ask(self, unit: str, magnitude: float) -> None:
        """Ask for the value, as the axis writes values of that size."""
        scale, edit = scale_of(unit, magnitude), QLineEdit()

        def add() -> None:
            text = edit.text().strip().removesuffix(scale.label).strip()
            try:
                value = float(text.replace(",", ".")) / scale.factor
            except ValueError:
                self._commands.told.emit(self.tr("“{text}” is no number").replace("{text}", edit.text()))
                return
            if abs(value) < float("inf"):
                self.add(value, unit)

        label = self.tr("Value in {unit}").replace("{unit}", scale.label) if scale.label else self.tr("Value")
        ask_line(self._commands.window, self.tr("Set a threshold"), label, edit, add)
