"""Buttons of the bars: one look each, always with a name for who cannot see them."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton, QWidget

from widgets.common.plain import tooltip_text
from widgets.common.theme import ThemeHolder

ICON_SIZE = 18


def described(text: str, action: QAction) -> str:
    """A tooltip that names the action's shortcut."""
    keys = action.shortcut().toString(action.shortcut().SequenceFormat.NativeText)
    return f"{text} ({keys})" if keys else text


class FlatButton(QToolButton):
    """An icon without a frame. Runs `action` where one is given: enabled, checked and shortcut are the action's."""

    def __init__(self, theme: ThemeHolder, icon: str, name: str, action: QAction | None = None) -> None:
        """`icon` names a file of resources/icons, `name` is translated."""
        super().__init__()
        self._theme, self._icon = theme, icon
        self.setProperty("role", "flat")
        self.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if action is not None:
            self._follow(action)
        self.setToolTip(tooltip_text(described(name, action) if action else name))
        self.setAccessibleName(name)
        theme.changed.connect(self._tint)
        self._tint()

    def show_icon(self, icon: str) -> None:
        """Another icon, of the same tone."""
        self._icon = icon
        self._tint()

    def _follow(self, action: QAction) -> None:
        """Not `setDefaultAction`, which would take the action's icon and text over ours."""
        self.clicked.connect(action.trigger)
        action.enabledChanged.connect(self.setEnabled)
        self.setEnabled(action.isEnabled())

    def _tint(self) -> None:
        self.setIcon(self._theme.icons.icon(self._icon, "muted"))


def restyle(widget: QWidget, **properties: str) -> None:
    """Set dynamic properties that the style sheet asks for, and draw the widget anew where one changed."""
    changed = [name for name, value in properties.items() if widget.property(name) != value]
    for name in changed:
        widget.setProperty(name, properties[name])
    if changed:
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.update()


def beside_icon(text: str) -> str:
    """Text for a button, a little away from its icon; "&" is no mnemonic there."""
    return "\u2009" + text.replace("&", "&&")
