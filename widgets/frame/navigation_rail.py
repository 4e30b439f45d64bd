"""The narrow column at the left: one button per screen."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from widgets.common.plain import tooltip_text
from widgets.common.theme import ThemeHolder

LEAST_WIDTH = 72
ICON_SIZE = 22


class NavigationRail(QWidget):
    """Buttons of the screens in the order they came; exactly one is chosen."""

    chosen = Signal(str)  # id of the screen

    def __init__(self, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._buttons: dict[str, QToolButton] = {}
        self._icons: dict[str, str] = {}
        self.setProperty("role", "rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(self.tr("Screens"))
        self.setFixedWidth(LEAST_WIDTH)
        self._group = QButtonGroup(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(6, 8, 6, 8)
        self._column.setSpacing(4)
        self._column.addStretch(1)
        theme.changed.connect(self._tint)

    def add(self, id_: str, title: str, icon: str, shortcut: str) -> None:
        """One more screen, below the others."""
        button = QToolButton()
        button.setProperty("role", "rail")
        button.setCheckable(True)
        button.setText(title)
        button.setToolTip(tooltip_text(f"{title} ({shortcut})" if shortcut else title))
        button.setAccessibleName(title)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda _checked=False, which=id_: self.chosen.emit(which))
        button.toggled.connect(self._tint)
        self._group.addButton(button)
        self._column.insertWidget(len(self._buttons), button)
        self._buttons[id_], self._icons[id_] = button, icon
        self._tint()
        widest = max(one.sizeHint().width() for one in self._buttons.values())
        self.setFixedWidth(max(LEAST_WIDTH, widest + 12))

    def show_chosen(self, id_: str) -> None:
        """Mark the button of this screen; tells nobody."""
        self._buttons[id_].setChecked(True)

    def _tint(self) -> None:
        for id_, button in self._buttons.items():
            tone = "selection_text" if button.isChecked() else "muted"
            button.setIcon(self._theme.icons.icon(self._icons[id_], tone))
