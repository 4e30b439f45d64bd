"""What somebody does not want to see for now: nodes, and pairs of them."""

from collections.abc import Iterable, Sequence

from widgets.flow.pairs import Pair

Key = int | str
"""Of an agent its id, of a group its name: the numbers of groups change."""


def key_of(node: int, name: str) -> Key:
    """What a node is known by."""
    return node if node >= 0 else name


class Hiding:
    """GUI thread."""

    def __init__(self) -> None:
        self._nodes: set[Key] = set()
        self._pairs: set[tuple[Key, Key]] = set()

    def __len__(self) -> int:
        return len(self._nodes) + len(self._pairs)

    def hide_node(self, node: int, name: str) -> None:
        """With everything it says and is told."""
        self._nodes.add(key_of(node, name))

    def hide_pair(self, pair: Pair) -> None:
        """One direction alone."""
        self._pairs.add(_keys(pair))

    def clear(self) -> None:
        """Show everything again."""
        self._nodes.clear()
        self._pairs.clear()

    def left(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Those that are to be seen."""
        if not len(self):
            return list(pairs)
        return [one for one in pairs if _keys(one) not in self._pairs and not self._nodes.intersection(_keys(one))]


def _keys(pair: Pair) -> tuple[Key, Key]:
    return key_of(pair.sender, pair.sender_name), key_of(pair.receiver, pair.receiver_name)


def named(pairs: Sequence[Pair], node: int) -> str:
    """What a node of these is called; empty: it is none of theirs."""
    for one in pairs:
        if node in (one.sender, one.receiver):
            return one.sender_name if one.sender == node else one.receiver_name
    return ""
