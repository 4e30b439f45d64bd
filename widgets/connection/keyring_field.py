"""Whether the password is kept in the keyring of the desktop, and what that means for this broker."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QSizePolicy, QVBoxLayout, QWidget

from models.domain.problems import Problem
from widgets.common.words import problem_text

NOTE_LINES = 2


class KeyringField(QWidget):
    """Begins with looking for a keyring. Whoever asks it tells `show_found` or `show_problem`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keep = QCheckBox(self.tr("Keep &in the keyring"), self)
        self._note = QLabel(self, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._note.setProperty("tone", "muted")
        self._note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._note.setFixedHeight(
            self._note.fontMetrics().lineSpacing() * NOTE_LINES + 2
        )  # nothing jumps as it changes
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.keep)
        column.addWidget(self._note)
        self._url, self._named = "", False
        self.show_looking()

    @property
    def kept(self) -> bool:
        """Is the password to be kept?"""
        return self.keep.isEnabled() and self.keep.isChecked()

    def holds(self, url: str) -> bool:
        """Is one kept for this broker, as far as was asked?"""
        return bool(url) and url == self._holds

    def show_looking(self) -> None:
        """The keyring is being asked."""
        self._there, self._holds = False, ""
        self._problem: Problem | None = None
        self.keep.setChecked(False)
        self._draw()

    def show_found(self, holds: str) -> None:
        """There is a keyring; `holds`: address of the broker for which it has a password, if for any that was asked."""
        self._there, self._holds, self._problem = True, holds, None
        self.keep.setChecked(True)
        self._draw()

    def show_problem(self, problem: Problem) -> None:
        """There is none, or it does not open: for this session only."""
        self._there, self._problem = False, problem
        self.keep.setChecked(False)
        self._draw()

    def show_for(self, url: str, *, named: bool) -> None:
        """The broker that the other fields say; `named`: with a user."""
        self._url, self._named = url, named
        self._draw()

    def _draw(self) -> None:
        self.keep.setEnabled(self._there and self._named)
        self._note.setText(self._text())
        self.keep.setAccessibleDescription(self._note.text())

    def _text(self) -> str:
        if self._problem is not None:
            return " ".join(problem_text(self._problem))
        if not self._there:
            return self.tr("Looking for a keyring…")
        if not self._named:
            return self.tr("A password is kept for a named user; give the user first.")
        if self.holds(self._url):
            return self.tr("The keyring has one; leave the password empty to use it, untick to have it forgotten.")
        return self.tr("Else it is for this session only. It is never written to a file.")
