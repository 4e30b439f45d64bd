"""Light and dark at run time: palette, style sheet, font and icons, and who is told when they change."""

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

from widgets.common.icons import Icons
from widgets.common.style_sheet import style_sheet
from widgets.common.tokens import DARK, LIGHT, SeriesStyle, Theme, contrast

__all__ = ["DARK", "LIGHT", "THEME_CHOICES", "SeriesStyle", "Theme", "ThemeHolder", "contrast", "palette_of"]

THEME_CHOICES = ("system", "light", "dark")
BASE_PIXELS = 13
"""Size of text; a desktop that asks for larger text gets it."""


def palette_of(theme: Theme) -> QPalette:
    """Fusion's palette in the theme's colours."""
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.surface,
        role.AlternateBase: theme.window, role.Text: theme.text, role.PlaceholderText: theme.muted,
        role.Button: theme.raised, role.ButtonText: theme.text, role.BrightText: theme.error,
        role.ToolTipBase: theme.raised, role.ToolTipText: theme.text, role.Highlight: theme.selection,
        role.HighlightedText: theme.selection_text, role.Link: theme.accent, role.LinkVisited: theme.accent,
        role.Accent: theme.accent, role.Light: theme.raised, role.Midlight: theme.line, role.Mid: theme.edge,
        role.Dark: theme.edge, role.Shadow: "#000000",
    }  # fmt: skip
    palette = QPalette()
    for one, colour in colours.items():
        palette.setColor(one, QColor(colour))
    for one in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, one, QColor(theme.muted))
    return palette


class ThemeHolder(QObject):
    """The theme in force. `theme` and `icons` always belong together; `changed` comes after both. GUI thread."""

    changed = Signal()

    def __init__(self, app: QApplication, choice: str = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._choice = ""
        self._app.setStyle("Fusion")
        font = app.font()
        font.setPixelSize(max(BASE_PIXELS, QFontInfo(font).pixelSize()))
        app.setFont(font)
        app.styleHints().colorSchemeChanged.connect(self._system_changed)
        self.choose(choice)

    @property
    def choice(self) -> str:
        """What was chosen: one of `THEME_CHOICES`."""
        return self._choice

    def choose(self, choice: str) -> None:
        """Show the window in "light", in "dark", or as the desktop does ("system")."""
        if choice not in THEME_CHOICES:
            raise ValueError(f"no theme {choice!r}")
        if choice == self._choice:
            return
        self._choice = choice
        hints = self._app.styleHints()
        if choice == "system":
            hints.unsetColorScheme()
        else:  # a hint for title bars and dialogs of the desktop; many platforms ignore it
            hints.setColorScheme(Qt.ColorScheme.Dark if choice == "dark" else Qt.ColorScheme.Light)
        self._take(self._wanted())

    def toggle(self) -> None:
        """From what is shown now to the other of light and dark."""
        self.choose("light" if self.theme.dark else "dark")

    def _wanted(self) -> Theme:
        if self._choice == "system":
            return DARK if self._app.styleHints().colorScheme() is Qt.ColorScheme.Dark else LIGHT
        return DARK if self._choice == "dark" else LIGHT

    @Slot()
    def _system_changed(self) -> None:
        if self._wanted() is not self.theme:
            self._take(self._wanted())

    def _take(self, theme: Theme) -> None:
        self.theme = theme
        self.icons = Icons(theme)
        self._app.setPalette(palette_of(theme))
        self._app.setStyleSheet(style_sheet(theme))
        self.changed.emit()
