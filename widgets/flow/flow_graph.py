"""The fleet as a graph: agents, and lines between those that talk; thick where they talk much, marked where it fails."""

import math
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QToolTip, QWidget

from widgets.common.numbers import count_text
from widgets.common.plain import tooltip_text
from widgets.common.theme import ThemeHolder
from widgets.flow.graph_layout import arranged
from widgets.flow.line_looks import WELL, draw_legend, look_of, pen_of
from widgets.flow.name_places import NameBox, name_places
from widgets.flow.pair_texts import pair_text
from widgets.flow.pairs import Pair

MOST_NODES = 200
MANY_LINES = 250
"""Of more than these each is a pixel wide: thick ones would cover each other, and take ten times as long to draw."""
_MARGIN = 56
_RADIUS = 7.0
_FOOT = 22
_NEAR = 8.0
_BEND = 0.14  # of its length: there and back are two lines


class FlowGraph(QWidget):
    """What is chosen with mouse or keys (Left, Right: agents; Up, Down: lines) is told. GUI thread."""

    chosen = Signal(object, object)
    """An agent and another (ids), or one and None, or None and None."""
    agent_wanted = Signal(int)

    def __init__(self, themes: ThemeHolder) -> None:
        super().__init__()
        self._themes = themes
        self.pairs: Sequence[Pair] = ()
        self.nodes: list[int] = []
        self.left_out = 0  # agents that found no place
        self._names: dict[int, str] = {}
        self._at: dict[int, tuple[float, float]] = {}
        self._edge: tuple[int, int] | None = None
        self._node: int | None = None
        self._found: set[int] = set()
        self._lines: set[tuple[int, int]] = set()
        self._silent: set[int] = set()
        self._picture: QPixmap | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 240)
        self.setAccessibleName(self.tr("Who talks to whom"))
        themes.changed.connect(self._redraw)

    def show_pairs(self, pairs: Sequence[Pair], among: Sequence[Pair] | None = None) -> None:
        """Draw these; who stood somewhere stays there. With `among` all nodes of those stand there, who talks or not."""
        placed = pairs if among is None else among
        busiest: dict[int, int] = {}
        for pair in placed:
            for one, name in ((pair.sender, pair.sender_name), (pair.receiver, pair.receiver_name)):
                busiest[one] = busiest.get(one, 0) + pair.interactions
                self._names[one] = name
        kept = sorted(sorted(busiest, key=lambda one: -busiest[one])[:MOST_NODES])
        self.left_out = len(busiest) - len(kept)
        places = {one: number for number, one in enumerate(kept)}
        ties = [one for one in placed if one.sender in places and one.receiver in places]
        self.pairs = [one for one in pairs if one.sender in places and one.receiver in places]
        self._silent = set(kept) - {end for one in self.pairs for end in (one.sender, one.receiver)}
        lines = {(one.sender, one.receiver) for one in ties}
        if kept != self.nodes or lines - self._lines:
            most = max((one.interactions for one in ties), default=1)
            edges = [
                (places[one.sender], places[one.receiver], 0.3 + math.sqrt(one.interactions / most)) for one in ties
            ]
            at = arranged(kept, edges, self._at)
            self._at = {one: (float(at[number, 0]), float(at[number, 1])) for one, number in places.items()}
        self.nodes = kept
        self._lines = lines
        self._say()
        self._redraw()

    def mark_found(self, words: str) -> None:
        """Mark agents whose names hold this."""
        folded = words.casefold().strip()
        self._found = {one for one in self.nodes if folded and folded in self._names.get(one, "").casefold()}
        self._redraw()

    def choose(self, sender: int | None, receiver: int | None) -> None:
        """Mark an agent, or the line between two."""
        self._node = sender if receiver is None else None
        self._edge = (sender, receiver) if sender is not None and receiver is not None else None
        self._say()
        self._redraw()

    # ------------------------------------------------------------ places

    def place(self, agent: int) -> QPointF:
        """Of an agent, in pixels."""
        x, y = self._at[agent]
        width, height = max(1, self.width() - 2 * _MARGIN), max(1, self.height() - 2 * _MARGIN)
        return QPointF(_MARGIN + x * width, _MARGIN / 2 + 8 + y * (height + _MARGIN / 2))

    def _path(self, pair: Pair) -> QPainterPath:
        path = QPainterPath()
        begin, end = self.place(pair.sender), self.place(pair.receiver)
        if pair.sender == pair.receiver:
            path.addEllipse(begin - QPointF(0, _RADIUS + 9), 9, 9)
            return path
        line = end - begin
        path.moveTo(begin)
        path.quadTo((begin + end) / 2 + QPointF(-line.y(), line.x()) * _BEND, end)
        return path

    def _at_pointer(self, where: QPointF) -> tuple[int | None, Pair | None]:
        for agent in self.nodes:
            if _distance(self.place(agent), where) <= _RADIUS + 3:
                return agent, None
        nearest, near = None, _NEAR
        for pair in self.pairs:
            path = self._path(pair)
            if not path.boundingRect().adjusted(-_NEAR, -_NEAR, _NEAR, _NEAR).contains(where):
                continue
            gap = min(_distance(path.pointAtPercent(step / 24), where) for step in range(25))
            if gap < near:
                nearest, near = pair, gap
        return None, nearest

    # ------------------------------------------------------------ mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        agent, pair = self._at_pointer(event.position())
        text = self._names.get(agent, "") if agent is not None else pair_text(pair) if pair is not None else ""
        QToolTip.showText(event.globalPosition().toPoint(), tooltip_text(text), self)
        self.setCursor(Qt.CursorShape.PointingHandCursor if text else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._take(*self._at_pointer(event.position()))

    def choose_at(self, where: QPoint) -> None:
        """As a click there; where nothing is, the choice stays."""
        agent, pair = self._at_pointer(where.toPointF())
        if agent is not None or pair is not None:
            self._take(agent, pair)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        agent, _ = self._at_pointer(event.position())
        if agent is not None:
            self.agent_wanted.emit(agent)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(
            Qt.Key(event.key())
        )
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self.pairs and step is not None:
            lines = [(one.sender, one.receiver) for one in self.pairs]
            now = lines.index(self._edge) if self._edge in lines else -1 if step > 0 else 0
            self._take(None, self.pairs[(now + step) % len(lines)])
        elif event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Left) and self.nodes and step is not None:
            by_name = sorted(self.nodes, key=lambda one: self._names.get(one, "").casefold())
            now = by_name.index(self._node) if self._node in by_name else -1 if step > 0 else 0
            self._take(by_name[(now + step) % len(by_name)], None)
        elif event.key() == Qt.Key.Key_Return and self._node is not None:
            self.agent_wanted.emit(self._node)
        elif event.key() == Qt.Key.Key_Escape and (self._node is not None or self._edge is not None):
            self._take(None, None)
        else:
            super().keyPressEvent(event)

    def _take(self, agent: int | None, pair: Pair | None) -> None:
        if pair is not None:
            self.choose(pair.sender, pair.receiver)
            self.chosen.emit(pair.sender, pair.receiver)
        else:
            self.choose(agent, None)
            self.chosen.emit(agent, None)

    def _say(self) -> None:
        """What a screen reader hears."""
        told = self.tr("{agents} agents, {lines} lines").replace("{agents}", count_text(len(self.nodes)))
        told = told.replace("{lines}", count_text(len(self.pairs)))
        at_hand = next((one for one in self.pairs if (one.sender, one.receiver) == self._edge), None)
        if at_hand is not None:
            told = pair_text(at_hand).replace("\n", ", ")
        elif self._node is not None:
            told = self._names.get(self._node, "")
        self.setAccessibleDescription(told)

    # ------------------------------------------------------------ painting

    def _redraw(self) -> None:
        self._picture = None
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The picture is kept: the focus and a window in front of it come and go more often than it changes."""
        scale = self.devicePixelRatioF()
        if self._picture is None or self._picture.size() != self.size() * scale:
            self._picture = QPixmap(self.size() * scale)
            self._picture.setDevicePixelRatio(scale)
            painter = QPainter(self._picture)
            self._draw(painter)
            painter.end()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._themes.theme.accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _draw(self, painter: QPainter) -> None:
        theme = self._themes.theme
        painter.setFont(self.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.surface))
        most = max((one.interactions for one in self.pairs), default=1)
        near = self._near()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, len(self.pairs) <= MANY_LINES)
        for pair in reversed(self.pairs):  # the worst on top
            self._draw_line(painter, pair, most, dim=near is not None and not near & {pair.sender, pair.receiver})
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        around = self._around(near) if near is not None else set(self.nodes)
        pale = (self._silent | (set(self.nodes) - around)) - self._found
        for agent in self.nodes:
            self._draw_agent(painter, agent, dim=agent in pale)
        self._draw_names(painter, pale)
        draw_legend(painter, theme, QRectF(self.rect()).adjusted(10, self.height() - _FOOT, -10, -4))

    def _near(self) -> set[int] | None:
        """Whom everything else is drawn paler than; None: nobody."""
        return {self._node} if self._node is not None else set(self._edge) if self._edge is not None else None

    def _around(self, near: set[int]) -> set[int]:
        if self._edge is not None:
            return near
        return near | {
            one for pair in self.pairs if near & {pair.sender, pair.receiver} for one in (pair.sender, pair.receiver)
        }

    def _draw_line(self, painter: QPainter, pair: Pair, most: int, *, dim: bool) -> None:
        theme = self._themes.theme
        look = look_of(pair)
        colour = QColor(getattr(theme, look.tone))
        at_hand = (pair.sender, pair.receiver) == self._edge
        colour.setAlphaF(0.12 if dim else 0.55 if look is WELL and not at_hand else 1.0)
        share = math.sqrt(pair.interactions / most)
        width = 1 + 4 * share + (1.5 if at_hand else 0)
        if len(self.pairs) > MANY_LINES and not at_hand:
            width = 1
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen_of(look, colour, width))
        painter.drawPath(self._path(pair))
        if pair.sender != pair.receiver:
            _arrow(painter, self.place(pair.sender), self.place(pair.receiver), colour, 6 + width)

    def _draw_agent(self, painter: QPainter, agent: int, *, dim: bool) -> None:
        theme, at = self._themes.theme, self.place(agent)
        colour = QColor(theme.accent)
        colour.setAlphaF(0.25 if dim else 1.0)
        painter.setPen(QPen(QColor(theme.surface), 2))
        painter.setBrush(colour)
        painter.drawEllipse(at, _RADIUS, _RADIUS)
        if agent == self._node or agent in self._found:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.text), 2))
            painter.drawEllipse(at, _RADIUS + 3, _RADIUS + 3)

    def _draw_names(self, painter: QPainter, pale: set[int]) -> None:
        """As many as stand clear of each other: what is looked at first, then who talks in what is worst. The pointer tells all."""
        theme, font = self._themes.theme, QFontMetricsF(self.font())
        told = {one: font.elidedText(self._names.get(one, ""), Qt.TextElideMode.ElideMiddle, 150) for one in self.nodes}
        at = {one: (place.x(), place.y()) for one in self.nodes for place in (self.place(one),)}
        order = dict.fromkeys(end for pair in self.pairs for end in (pair.sender, pair.receiver) if end not in pale)
        must = frozenset(self._found | ({self._node} if self._node is not None else set(self._edge or ())))
        boxes = name_places(
            [*order, *(one for one in self.nodes if one not in order)], at, [at[one] for one in self.nodes if one not in pale], lambda one: font.horizontalAdvance(told[one]) + 4,
            font.height(), _RADIUS, NameBox(0, 0, self.width(), self.height() - _FOOT), must & set(self.nodes),
        )  # fmt: skip
        ground = QColor(theme.surface)
        ground.setAlphaF(0.8)
        for agent, box in boxes.items():
            rect, text = QRectF(*box), QColor(theme.text)
            text.setAlphaF(0.25 if agent in pale else 1.0)
            painter.fillRect(rect, ground)
            painter.setPen(text)
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, told[agent])


def _distance(one: QPointF, other: QPointF) -> float:
    return math.hypot(one.x() - other.x(), one.y() - other.y())


def _arrow(painter: QPainter, begin: QPointF, end: QPointF, colour: QColor, size: float) -> None:
    """At the end of a bent line."""
    line = end - begin
    middle = (begin + end) / 2 + QPointF(-line.y(), line.x()) * _BEND
    share = max(0.0, 1 - (_RADIUS + 2) / max(math.hypot(line.x(), line.y()), 1.0))
    rest = 1 - share
    tip = begin * rest**2 + middle * (2 * share * rest) + end * share**2
    way = (middle - begin) * rest + (end - middle) * share
    angle = math.atan2(way.y(), way.x())
    sides = (QPointF(math.cos(angle + turn), math.sin(angle + turn)) * size for turn in (2.7, -2.7))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon([tip, *(tip + side for side in sides)])
