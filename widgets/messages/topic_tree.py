"""The rows of the topic tree: branches that somebody opened, what they sum up to, and which children are shown. Pure."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.domain.queries import Float64, TopicsResult
from widgets.messages.topic_branch import Branch
from widgets.messages.topic_columns import TopicColumns

PAGE = 200
"""Children shown of a branch; a row at their end says how many more there are, and shows them."""
ALL, MORE = -1, -2
"""In place of a child's number: the row for everything, and the one for what is not shown."""


@dataclass(slots=True, eq=False)
class Node:
    """A row of the tree. `id` names it as long as the tree does not begin anew; `row` is its place in `home.shown`."""

    id: int
    home: "Opened"
    child: int
    row: int = 0
    inner: "Opened | None" = None

    @property
    def topic(self) -> bytes:
        """Full name of the topic or branch; empty for everything."""
        return self.home.branch.name(self.child) if self.child >= 0 else b""

    @property
    def is_branch(self) -> bool:
        """Are there topics below?"""
        return self.child >= 0 and self.home.branch.below[self.child] > 0

    @property
    def is_topic(self) -> bool:
        """Did messages come on exactly this topic?"""
        return self.child >= 0 and self.home.branch.ends[self.child] >= 0

    @property
    def is_shown(self) -> bool:
        return self.row < len(self.home.shown) and self.home.shown[self.row] is self


def _nothing() -> Float64:
    return np.zeros(0)


@dataclass(slots=True, eq=False)
class Opened:
    """A branch whose children are shown, with what each sums up to."""

    branch: Branch
    owner: Node | None
    shown: list[Node] = field(default_factory=list)
    nodes: dict[int, Node] = field(default_factory=dict)
    most: int = PAGE
    hidden: int = 0  # children beyond `most`
    messages: Float64 = field(default_factory=_nothing)
    payload_bytes: Float64 = field(default_factory=_nothing)
    rate: Float64 = field(default_factory=_nothing)

    def put(self, order: list[Node]) -> None:
        """Show these, in this order."""
        self.shown = order
        for row, node in enumerate(order):
            node.row = row


class Figures(NamedTuple):
    """What a row sums up. Rates are NaN while they are not known."""

    topics: int
    messages: int
    payload_bytes: int
    rate: float
    byte_rate: float
    last_us: int


class TopicTree:
    """Begins anew when an answer says that everything known is to be forgotten; else nodes stay what they are."""

    def __init__(self) -> None:
        self.columns = TopicColumns()
        self.pinned: set[int] = set()  # ids of nodes that stay shown however quiet they are
        self._text = ""
        self._wanted: npt.NDArray[np.bool_] | None = None
        self._begin()

    def _begin(self) -> None:
        self.nodes: dict[int, Node] = {}
        self.pinned.clear()
        self._next = 1
        self.root = Opened(Branch(b"", self.columns, range(len(self.columns))), None)
        self._all = self._node(self.root, ALL)

    def take(self, answer: TopicsResult, now_us: int) -> bool:
        """Add an answer. Did a branch that is made get a child? One that says `whole` begins anew first (and is no news)."""
        new = self.columns.take(answer, now_us)
        if answer.whole:
            self._begin()
        grown = [self._grow(self.root, row) for row in ([] if answer.whole else new)]
        if len(new):
            self.search(self._text)
        rate = self.columns.rates()[0]
        for opened in self.opened():
            self._sum(opened, rate)
        return any(grown)

    def search(self, text: str) -> None:
        """Show only topics that hold this text, with what is above them; empty: all."""
        self._text = text
        self._wanted = self.columns.matching(text) if text else None

    @property
    def matches(self) -> int:
        """How many topics pass the search."""
        return len(self.columns) if self._wanted is None else int(self._wanted.sum())

    def is_found(self, node: Node) -> bool:
        """Is it a topic that passes the search?"""
        return node.is_topic and (self._wanted is None or bool(self._wanted[node.home.branch.ends[node.child]]))

    def opened(self) -> list[Opened]:
        """All branches that are made, outer ones first."""
        found = [self.root]
        for opened in found:  # grows while it is walked
            found += [node.inner for node in opened.nodes.values() if node.inner is not None]
        return found

    def open(self, node: Node) -> tuple[Opened, list[Node]]:
        """What lies below a branch, and the order to show it in; nothing changes yet."""
        branch = Branch(node.topic + b"/", self.columns, node.home.branch.rows_below(node.child))
        opened = Opened(branch, node)
        self._sum(opened, self.columns.rates()[0])
        return opened, self.order(opened)

    def order(self, opened: Opened) -> list[Node]:
        """The children to show, loudest first; those that are open or pinned are among them."""
        children = opened.branch.loudest(opened.rate, opened.messages, self._wanted)
        shown = children[: opened.most]
        if len(shown) < len(children):
            kept = {node.child for node in opened.nodes.values() if node.id in self.pinned or node.inner is not None}
            shown += [child for child in children[opened.most :] if child in kept]
        opened.hidden = len(children) - len(shown)
        nodes = [self._node(opened, child) for child in shown]
        if opened is self.root and children:
            nodes.insert(0, self._all)
        return [*nodes, self._node(opened, MORE)] if opened.hidden else nodes

    def child(self, opened: Opened, level: bytes) -> Node | None:
        """The child of this name, shown or not."""
        child = opened.branch.child(level)
        return self._node(opened, child) if child >= 0 else None

    def figures(self, node: Node) -> Figures:
        columns = self.columns
        rows = np.arange(len(columns)) if node.child == ALL else node.home.branch.rows_of(node.child)
        rate, byte_rate = columns.rates()
        known = columns.rates_known
        return Figures(
            len(rows), int(columns.messages[rows].sum()), int(columns.payload_bytes[rows].sum()),
            float(rate[rows].sum()) if known else float("nan"), float(byte_rate[rows].sum()) if known else float("nan"),
            int(columns.last_us[rows].max(initial=0)),
        )  # fmt: skip

    def agents(self, node: Node) -> set[int]:
        """Agents of the newest messages of all its topics."""
        if node.child < 0:
            return set()
        return set(np.unique(self.columns.agent[node.home.branch.rows_of(node.child)]).tolist()) - {0}

    def _node(self, home: Opened, child: int) -> Node:
        node = home.nodes.get(child)
        if node is None:
            node = home.nodes[child] = self.nodes[self._next] = Node(self._next, home, child)
            self._next += 1
        return node

    def _grow(self, opened: Opened, row: int) -> bool:
        """A new topic, in all branches above it that are made."""
        branch = opened.branch
        before = len(branch.names)
        branch.add((row,))
        level, below = branch.split(self.columns.names[row])
        node = opened.nodes.get(branch.child(level))
        inner = node.inner if node is not None and below else None
        return (self._grow(inner, row) if inner is not None else False) or len(branch.names) > before

    def _sum(self, opened: Opened, rate: Float64) -> None:
        branch, columns = opened.branch, self.columns
        opened.messages, opened.payload_bytes = branch.sum(columns.messages), branch.sum(columns.payload_bytes)
        opened.rate = branch.sum(rate)
