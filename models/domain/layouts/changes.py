"""Changes of a layout: each makes another one. Panels that are not there are left out of account, never invented."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from models.domain.layouts.layout import Direction, Layout, Node, Panel, Plotted, Side, Split

WHOLE = 1_000
"""What the sizes of a split add up to, about."""


def panels_of(node: Node) -> Iterator[Panel]:
    """In reading order."""
    if isinstance(node, Panel):
        yield node
    else:
        for part in node.parts:
            yield from panels_of(part)


def panel_of(layout: Layout, id_: int) -> Panel | None:
    """The panel of that id."""
    return next((panel for panel in panels_of(layout.root) if panel.id == id_), None)


def new_id(layout: Layout) -> int:
    """One that no panel has."""
    return 1 + max(panel.id for panel in panels_of(layout.root))


def with_panel(layout: Layout, panel: Panel) -> Layout:
    """Put it in the place of the panel with its id."""
    return replace(layout, root=_replaced(layout.root, panel.id, panel))


def with_plotted(layout: Layout, id_: int, more: Iterable[Plotted]) -> Layout:
    """Show these in a panel, too; what it shows already is not shown twice."""
    panel = panel_of(layout, id_)
    if panel is None:
        return layout
    return with_panel(layout, replace(panel, plotted=tuple(dict.fromkeys((*panel.plotted, *more)))))


def without_plotted(layout: Layout, id_: int, less: Iterable[Plotted]) -> Layout:
    """Show these in a panel no more."""
    panel, gone = panel_of(layout, id_), set(less)
    if panel is None:
        return layout
    return with_panel(layout, replace(panel, plotted=tuple(one for one in panel.plotted if one not in gone)))


def placed(layout: Layout, panel: Panel, target: int, side: Side) -> Layout:
    """A further panel beside `target`, with which it shares its room; at the end of all where there is no such panel."""
    if panel_of(layout, target) is None:
        return replace(layout, root=_beside(layout.root, panel, Side.BELOW))
    return replace(layout, root=_placed(layout.root, panel, target, side))


def closed(layout: Layout, id_: int) -> Layout:
    """Without that panel; the last one leaves an empty one behind."""
    left = _without(layout.root, id_)
    return replace(layout, root=Panel(new_id(layout)) if left is None else left)


def moved(layout: Layout, id_: int, target: int, side: Side) -> Layout:
    """Take a panel out and put it beside another."""
    panel = panel_of(layout, id_)
    if panel is None or id_ == target or panel_of(layout, target) is None:
        return layout
    return placed(closed(layout, id_), panel, target, side)


def swapped(layout: Layout, one: int, other: int) -> Layout:
    """Two panels change places; each takes the room of the other."""
    first, second = panel_of(layout, one), panel_of(layout, other)
    if first is None or second is None or first is second:
        return layout
    return replace(layout, root=_swapped(layout.root, {one: second, other: first}))


def grown(layout: Layout, id_: int, factor: float) -> Layout:
    """More or less room for a panel, taken from what stands beside it."""
    return replace(layout, root=_grown(layout.root, id_, factor))


def resized(layout: Layout, path: Sequence[int], sizes: Sequence[int]) -> Layout:
    """Other shares for the parts of the split that `path` leads to, part by part from the root."""
    return replace(layout, root=_resized(layout.root, list(path), tuple(max(1, one) for one in sizes)))


def neighbour(layout: Layout, id_: int, step: int) -> int:
    """The panel `step` places on in reading order, round and round."""
    ids = [panel.id for panel in panels_of(layout.root)]
    return ids[(ids.index(id_) + step) % len(ids)] if id_ in ids else ids[0]


def grid(nodes: Sequence[Node]) -> Node:
    """Nodes in rows of equal length, about square; a wide panel tells more than a high one."""
    if len(nodes) == 1:
        return nodes[0]
    columns = next(count for count in range(1, len(nodes) + 1) if count * count * 2 >= len(nodes))
    rows = [tuple(nodes[at : at + columns]) for at in range(0, len(nodes), columns)]
    made: list[Node] = [row[0] if len(row) == 1 else _even(Direction.COLUMNS, row) for row in rows]
    return made[0] if len(made) == 1 else _even(Direction.ROWS, tuple(made))


def _even(direction: Direction, parts: tuple[Node, ...]) -> Split:
    return Split(direction, parts, (max(1, WHOLE // len(parts)),) * len(parts))


def _replaced(node: Node, id_: int, new: Node) -> Node:
    if isinstance(node, Panel):
        return new if node.id == id_ else node
    return replace(node, parts=tuple(_replaced(part, id_, new) for part in node.parts))


def _swapped(node: Node, others: Mapping[int, Panel]) -> Node:
    if isinstance(node, Panel):
        return others.get(node.id, node)
    return replace(node, parts=tuple(_swapped(part, others) for part in node.parts))


def _grown(node: Node, id_: int, factor: float) -> Node:
    if isinstance(node, Panel):
        return node
    whole = sum(node.sizes)
    for place, part in enumerate(node.parts):
        if isinstance(part, Panel) and part.id == id_:
            sizes = [size * WHOLE for size in node.sizes]
            sizes[place] = min(max(WHOLE, round(sizes[place] * factor)), whole * WHOLE * 9 // 10)
            return replace(node, sizes=tuple(max(1, size * whole // sum(sizes)) for size in sizes))
    return replace(node, parts=tuple(_grown(part, id_, factor) for part in node.parts))


def _beside(node: Node, new: Node, side: Side) -> Node:
    """Both of them; a split of that direction takes one more part of average size."""
    if isinstance(node, Split) and node.direction is side.direction:
        share = max(1, sum(node.sizes) // len(node.sizes))
        if side.first:
            return replace(node, parts=(new, *node.parts), sizes=(share, *node.sizes))
        return replace(node, parts=(*node.parts, new), sizes=(*node.sizes, share))
    return _even(side.direction, (new, node) if side.first else (node, new))


def _placed(node: Node, panel: Panel, target: int, side: Side) -> Node:
    if isinstance(node, Panel):
        return _beside(node, panel, side) if node.id == target else node
    for place, part in enumerate(node.parts):
        if isinstance(part, Panel) and part.id == target and node.direction is side.direction:
            half = max(1, node.sizes[place] // 2)
            pair, at = ((panel, part) if side.first else (part, panel)), slice(place, place + 1)
            parts, sizes = list(node.parts), list(node.sizes)
            parts[at], sizes[at] = pair, (half, half)
            return replace(node, parts=tuple(parts), sizes=tuple(sizes))
    return replace(node, parts=tuple(_placed(part, panel, target, side) for part in node.parts))


def _without(node: Node, id_: int) -> Node | None:
    if isinstance(node, Panel):
        return None if node.id == id_ else node
    left = [(kept, size) for part, size in zip(node.parts, node.sizes, strict=True) if (kept := _without(part, id_))]
    if not left:
        return None
    if len(left) == 1:
        return left[0][0]
    return replace(node, parts=tuple(part for part, _ in left), sizes=tuple(size for _, size in left))


def _resized(node: Node, path: list[int], sizes: tuple[int, ...]) -> Node:
    if isinstance(node, Panel):
        return node
    if not path:
        return replace(node, sizes=sizes) if len(sizes) == len(node.parts) else node
    first, *rest = path
    parts = [_resized(part, rest, sizes) if place == first else part for place, part in enumerate(node.parts)]
    return replace(node, parts=tuple(parts))
