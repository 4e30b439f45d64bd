"""How many rows came that a list does not show yet, on the button that goes to them."""

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton

from models.domain.queries import RowKey
from widgets.common.numbers import count_text


class NewRows:
    """`told` makes the words of a number (translated). GUI thread."""

    def __init__(self, button: QPushButton, told: Callable[[], str]) -> None:
        self._button, self._told = button, told
        self.count = 0
        self.counted: RowKey | None = None
        """All of its time and before it is listed, or counted here."""

    def add(self, count: int, newest: RowKey | None) -> None:
        """So many more came, up to this row."""
        self.counted = newest or self.counted
        self._set(self.count + count)

    def begin(self, newest: RowKey | None = None) -> None:
        """All rows up to this one are listed."""
        self.counted = newest or self.counted
        self._set(0)

    def _set(self, count: int) -> None:
        self.count = count
        self._button.setVisible(count > 0)
        self._button.setText(self._told().replace("{n}", count_text(count)))
