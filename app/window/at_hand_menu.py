"""A menu of what can be done with what is at hand on one screen, which may come later."""

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction

from widgets.common.actions import ActionRegistry

S = TypeVar("S", bound=Any)
"""A screen with a signal `at_hand_changed`: something else is at hand, or it came or went."""


class AtHandMenu(QObject, Generic[S]):
    """Registers its actions at once; they are enabled while they fit what is at hand on the screen. GUI thread."""

    def __init__(self, actions: ActionRegistry, parent: QObject, menu: str, prefix: str) -> None:
        """`prefix`: of the ids of its actions."""
        super().__init__(parent)
        self._actions, self._menu, self._prefix = actions, menu, prefix
        self._screen: S | None = None
        self._enabled: list[tuple[QAction, Callable[[S], bool]]] = []

    def add(
        self, name: str, text: str, run: Callable[[S], object], keys: str | None, fits: Callable[[S], bool], tip: str
    ) -> None:
        """One more action. `run`: what it does; `fits`: can that be done now?"""
        id_ = f"{self._prefix}.{name}"
        action = self._actions.add(id_, text, partial(self._run, run), keys, "", self._menu, tip=tip)
        action.setEnabled(False)
        self._enabled.append((action, fits))

    @Slot(object)
    def attach(self, screen: S) -> None:
        """The screen is there."""
        self._screen = screen
        screen.at_hand_changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Something else is at hand, or another screen is shown."""
        screen = self._screen
        for action, fits in self._enabled:
            action.setEnabled(screen is not None and screen.isVisible() and fits(screen))

    def _run(self, run: Callable[[S], object]) -> None:
        if self._screen is not None:
            run(self._screen)
