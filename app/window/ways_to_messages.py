"""The ways that lead from other lists to the Messages screen."""

from functools import partial

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMenu

from models.domain.queries import (
    DataSource,
    Failed,
    LogLine,
    MessageLine,
    MessageRequest,
    MessageResult,
    Result,
    RowKey,
)
from widgets.records.record_table import RecordTable


class WaysToMessages(QObject):
    """Adds "Show in Messages" to the menus of lists elsewhere: of messages, and of log records that were read from one."""

    message_found = Signal(object)  # MessageLine

    def __init__(self, source: DataSource, parent: QObject) -> None:
        super().__init__(parent)
        self._source = source

    def lead_from(self, rows: RecordTable) -> None:
        """From the rows of this list on."""
        rows.menu_wanted.connect(self._fill)

    @Slot(object, object)
    def _fill(self, menu: QMenu, line: object) -> None:
        if isinstance(line, MessageLine):
            menu.addAction(self.tr("Show in Messages"), partial(self.message_found.emit, line))
        elif isinstance(line, LogLine) and line.message:
            menu.addAction(self.tr("Show its message"), partial(self.show_message_of, line))

    @Slot(object)
    def show_message_of(self, line: LogLine) -> None:
        """The message that a log record was read from."""
        self.show(RowKey(line.key.received_us, line.key.segment, line.message))

    @Slot(object)
    def show(self, key: RowKey) -> None:
        """Find this message and tell of it; nothing where it is gone."""

        def take(result: Result | Failed) -> None:
            if isinstance(result, MessageResult) and result.rows and result.rows[0].key == key:
                self.message_found.emit(result.rows[0])

        self._source.ask(MessageRequest(before=key._replace(seq=key.seq + 1), limit=1), take)
