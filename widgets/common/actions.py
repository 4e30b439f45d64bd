"""Every action of a window, once: in a menu, with its shortcut, listed for the shortcuts window."""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from widgets.common.theme import ThemeHolder

Shortcut = str | QKeySequence | QKeySequence.StandardKey
MENUS = ("File", "Edit", "View", "Go", "Agent", "Explore", "Log", "Message", "Task", "Help")


class ActionEntry(NamedTuple):
    """One line of the shortcuts window. Texts are translated and carry no mnemonic."""

    id: str
    menu: str
    text: str
    shortcut: str
    action: QAction


class ActionRegistry(QObject):
    """Makes actions and the menu bar from them. GUI thread.

    An id names one action, and a shortcut belongs to one action: taking either twice is a mistake (`ValueError`).
    """

    def __init__(self, theme: ThemeHolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._titles = {
            "File": QCoreApplication.translate("Menu", "&File"),
            "Edit": QCoreApplication.translate("Menu", "&Edit"),
            "View": QCoreApplication.translate("Menu", "&View"),
            "Go": QCoreApplication.translate("Menu", "&Go"),
            "Agent": QCoreApplication.translate("Menu", "&Agent"),
            "Explore": QCoreApplication.translate("Menu", "E&xplore"),
            "Log": QCoreApplication.translate("Menu", "&Log"),
            "Message": QCoreApplication.translate("Menu", "&Message"),
            "Task": QCoreApplication.translate("Menu", "&Task"),
            "Help": QCoreApplication.translate("Menu", "&Help"),
        }
        self._actions: dict[str, QAction] = {}
        self._menu_of: dict[str, str] = {}
        self._icons: dict[str, str] = {}
        self._order: dict[str, list[str | None]] = {menu: [] for menu in MENUS}
        self._menus: dict[str, QMenu] = {}
        self._built: dict[str, QMenu] = {}
        self._bar: QMenuBar | None = None
        self._window: QWidget | None = None
        theme.changed.connect(self._tint)

    def add(
        self,
        id_: str,
        text: str,
        slot: Callable[..., object],
        shortcut: Shortcut | None = None,
        icon: str = "",
        menu: str = "View",
        *,
        checkable: bool = False,
        tip: str = "",
        also: Shortcut | None = None,
        role: QAction.MenuRole = QAction.MenuRole.NoRole,
    ) -> QAction:
        """A new action at the end of `menu`. `text` is translated, may carry a mnemonic (&); `slot` gets the checked
        state where `checkable`, else nothing. `icon` names a file of resources/icons, `tip` says in a sentence what it does,
        `also` is a second shortcut."""
        action = QAction(text, self)
        action.setObjectName(id_)
        action.setCheckable(checkable)
        action.setMenuRole(role)
        keys = [QKeySequence(one) for one in (shortcut, also) if one is not None]
        self._check_free(id_, keys)
        action.setShortcuts(keys)
        if checkable:
            action.toggled.connect(slot)
        else:
            action.triggered.connect(lambda _checked=False, call=slot: call())
        self._put(id_, action, menu, icon, tip)
        return action

    def add_menu(
        self, id_: str, text: str, fill: Callable[[QMenu], object], icon: str = "", menu: str = "File", *, tip: str = ""
    ) -> QMenu:
        """A menu within `menu`, filled anew by `fill` whenever it opens."""
        made = QMenu(text, self._window)
        made.aboutToShow.connect(made.clear)
        made.aboutToShow.connect(lambda: fill(made))
        self._menus[id_] = made
        self._put(id_, made.menuAction(), menu, icon, tip)
        return made

    def _put(self, id_: str, action: QAction, menu: str, icon: str, tip: str) -> None:
        if id_ in self._actions:
            raise ValueError(f"action {id_!r} exists already")
        if tip:
            action.setToolTip(tip)
            action.setStatusTip(tip)
        self._actions[id_], self._menu_of[id_] = action, menu
        if icon:
            self._icons[id_] = icon
            action.setIcon(self._theme.icons.icon(icon, "muted"))
        self._append(menu, id_)

    def _append(self, menu: str, id_: str | None) -> None:
        order = self._order[menu]
        last = order[-1] if order else None
        ends = last is not None and self._actions[last].menuRole() is QAction.MenuRole.QuitRole
        order.insert(len(order) - 1 if ends else len(order), id_)  # quitting stays the last thing in its menu
        built = self._built.get(menu)
        quits = id_ is not None and self._actions[id_].menuRole() is QAction.MenuRole.QuitRole
        if built is None or self._window is None or quits:
            self._rebuild()
            return
        above_quit = built.actions()[-2] if ends else None
        added = built.addSeparator() if id_ is None else self._actions[id_]
        if above_quit is None:
            built.addAction(added)
        else:
            built.insertAction(above_quit, added)
        if id_ is not None:
            self._window.addAction(added)

    def separate(self, menu: str) -> None:
        """A line after what the menu holds so far."""
        self._append(menu, None)

    def __getitem__(self, id_: str) -> QAction:
        return self._actions[id_]

    def remove(self, id_: str) -> None:
        """Take an action away, with its shortcut."""
        action = self._actions.pop(id_)
        self._order[self._menu_of.pop(id_)].remove(id_)
        self._icons.pop(id_, None)
        if self._window is not None:
            self._window.removeAction(action)
        action.deleteLater()
        self._rebuild()

    def install(self, bar: QMenuBar, window: QWidget) -> None:
        """Fill this menu bar, now and whenever actions come; `window` is where the shortcuts work, bar shown or not."""
        self._bar, self._window = bar, window
        self._rebuild()

    def entries(self) -> list[ActionEntry]:
        """All actions in the order of the menus."""
        return [
            ActionEntry(
                id_,
                plain_title(self._titles[menu]),
                plain_title(self._actions[id_].text()),
                self._actions[id_].shortcut().toString(QKeySequence.SequenceFormat.NativeText),
                self._actions[id_],
            )
            for menu, ids in self._order.items()
            for id_ in ids
            if id_ is not None
        ]

    def _check_free(self, id_: str, keys: list[QKeySequence]) -> None:
        for other, action in self._actions.items():
            for one in keys:
                if one in action.shortcuts():
                    raise ValueError(f"{one.toString()} of {id_!r} belongs to {other!r}")

    def _rebuild(self) -> None:
        if self._bar is None or self._window is None:
            return
        self._bar.clear()
        for old in self._built.values():
            old.deleteLater()
        self._built.clear()
        for menu, ids in self._order.items():
            if not any(ids):
                continue
            built = QMenu(self._titles[menu], self._bar)
            for id_ in ids:
                if id_ is None:
                    built.addSeparator()
                else:
                    if self._actions[id_].menuRole() is QAction.MenuRole.QuitRole:
                        built.addSeparator()
                    built.addAction(self._actions[id_])
                    self._window.addAction(self._actions[id_])
            self._bar.addMenu(built)
            self._built[menu] = built

    def _tint(self) -> None:
        for id_, name in self._icons.items():
            self._actions[id_].setIcon(self._theme.icons.icon(name, "muted"))


def plain_title(text: str) -> str:
    """A menu text without its mnemonic mark."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")
