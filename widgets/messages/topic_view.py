"""The tree of topics as Qt draws it: keys, copying, and what a row explains when one points at it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QHelpEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHeaderView, QTreeView

from models.domain.quantity import format_time
from widgets.common.numbers import count_text, value_text
from widgets.common.plain import tooltip_text, visible
from widgets.common.tall_rows import TallRows
from widgets.messages.topic_item_model import TopicModel
from widgets.messages.topic_tree import ALL, MORE, Node


class TopicView(QTreeView):
    """Rows are topics; Ctrl+C copies the full name, Enter tells `chosen`."""

    chosen = Signal()

    def __init__(self, model: TopicModel, name: str) -> None:
        super().__init__()
        self._model = model
        self.setModel(model)
        self.setAccessibleName(name)
        self.setUniformRowHeights(True)
        self.setItemDelegate(TallRows(self))
        self.setAllColumnsShowFocus(True)
        self.setExpandsOnDoubleClick(True)
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.setIndentation(14)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(TopicModel.TOPIC, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(40)
        for column, pixels in ((TopicModel.RATE, 58), (TopicModel.MESSAGES, 80), (TopicModel.BYTES, 68)):
            self.setColumnWidth(column, pixels)
        header.setSectionsMovable(False)

    def current(self) -> Node | None:
        """The row at hand; None: there is none."""
        index = self.currentIndex()
        return self._model.node(index) if index.isValid() else None

    def copy(self) -> None:
        """The full name of the topic at hand, exactly."""
        node = self.current()
        if node is not None and node.child >= 0:
            QGuiApplication.clipboard().setText(node.topic.decode(errors="backslashreplace"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        elif event.key() == Qt.Key.Key_Asterisk:
            self.expand(self.currentIndex())  # not everything below, of which there may be very much
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event: object) -> bool:
        if isinstance(event, QHelpEvent):
            index = self.indexAt(event.pos())
            self.viewport().setToolTip(self._explain(self._model.node(index)) if index.isValid() else "")
        return super().viewportEvent(event)  # type: ignore[arg-type] # always an event

    def _explain(self, node: Node) -> str:
        if node.child == MORE:
            return self.tr("The quietest ones. Enter or a click shows more; the filter above finds any.")
        told = self._model.tree.figures(node)
        name = self.tr("All topics") if node.child == ALL else visible(node.topic.decode(errors="backslashreplace"))
        lines = [name]
        if node.child == ALL or node.is_branch:
            lines.append(self.tr("{n} topics").replace("{n}", count_text(told.topics)))
        lines.append(
            self.tr(
                "{messages} messages, {bytes} of payload, since recording began here: also what retention has removed"
            )
            .replace("{messages}", count_text(told.messages))
            .replace("{bytes}", value_text(told.payload_bytes, "By"))
        )
        if told.rate == told.rate:
            rates = self.tr("Over the last seconds: {rate} messages and {bytes} a second")
            lines.append(
                rates.replace("{rate}", value_text(told.rate)).replace("{bytes}", value_text(told.byte_rate, "By"))
            )
        if told.last_us:
            lines.append(self.tr("Last message {time}").replace("{time}", format_time(told.last_us, digits=3)))
        return tooltip_text("\n".join(lines))
