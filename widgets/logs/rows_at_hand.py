"""What can be done with the records that are selected in the list: read them in full, compare, copy, see what happened around them."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QWidget

from models.domain.log_json import log_json
from models.domain.queries import LogLine, RowKey
from widgets.frame.screen_context import ScreenContext
from widgets.logs.log_query import LogQuery
from widgets.logs.queried_rows import QueriedRows
from widgets.logs.row_menu import surroundings
from widgets.records.agent_names import AgentNames
from widgets.records.comparison_dialog import log_comparison
from widgets.records.record_dialog import log_dialog


class RowsAtHand:
    """Dialogs stand before `window`. GUI thread."""

    def __init__(
        self, context: ScreenContext, names: AgentNames, query: LogQuery, rows: QueriedRows, window: QWidget
    ) -> None:
        self._times, self._themes = context.times, context.themes
        self._names, self._query, self._rows, self._window = names, query, rows, window

    @property
    def line(self) -> LogLine | None:
        """The record at hand."""
        selected: list[LogLine] = self._rows.selected
        return selected[0] if selected else None

    @property
    def selected(self) -> list[LogLine]:
        """All of them, in the order of the list."""
        return self._rows.selected

    @property
    def surroundings(self) -> list[tuple[str, str]]:
        """What there is around the record at hand: words and the query of each, everybody's first, then its agent's, its task's."""
        return self.surroundings_of(self.line) if self.line is not None else []

    def surroundings_of(self, line: LogLine) -> list[tuple[str, str]]:
        """The same of any record."""
        return surroundings(line, self._names.id_of(line.agent), self._names.name(line.agent))

    def show_surroundings(self, place: int) -> None:
        """List the records of `surroundings[place]`; negative: of the last one."""
        if self.line is not None:
            self.show_around(self.line.key, self.surroundings[place][1])

    def show_around(self, key: RowKey, query: str) -> None:
        """List the records around this one that `query` finds, and go to it."""
        self._query.write(query)
        now = self._times.current()
        if not now.live and not now.since_us <= key.received_us < now.until_us:
            self._times.resume()
        self._rows.stand_at(key)

    def open_record(self, line: LogLine) -> None:
        """Show it in a window of its own."""
        self._open(log_dialog(line, self._window, self._names.title(line.agent)))

    def compare(self) -> None:
        """Show what differs between the two selected records."""
        after, before = ((line, self._names.title(line.agent)) for line in self.selected)
        self._open(log_comparison(self._themes, before, after, self._window))

    def copy_json(self) -> None:
        """One record is laid out to be read, several are one a line."""
        lines = self.selected
        indent = 2 if len(lines) == 1 else None
        texts = [log_json(one, self._names.id_of(one.agent), indent) for one in lines]
        QGuiApplication.clipboard().setText("\n".join(texts))

    @staticmethod
    def _open(dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
