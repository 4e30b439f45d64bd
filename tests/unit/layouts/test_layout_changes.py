"""Changes of a layout keep every other panel, and what is taken out comes back where it is put."""

from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.layouts import changes
from models.domain.layouts.layout import EMPTY, Direction, Layout, Node, Panel, Plotted, Side, Split

STEP = st.tuples(
    st.sampled_from(["place", "close", "move"]), st.integers(0, 9), st.integers(0, 9), st.sampled_from(Side)
)


def _whole(node: Node) -> bool:
    """Every split has parts enough, with a size for each."""
    if isinstance(node, Panel):
        return True
    return 2 <= len(node.parts) == len(node.sizes) and min(node.sizes) > 0 and all(map(_whole, node.parts))


@given(st.lists(STEP, max_size=25))
@settings(max_examples=100, deadline=None)
def test_no_change_loses_or_doubles_a_panel(steps: list[tuple[str, int, int, Side]]) -> None:
    layout, expected = EMPTY, {1}
    for what, first, second, side in steps:
        ids = [panel.id for panel in changes.panels_of(layout.root)]
        one, other = ids[first % len(ids)], ids[second % len(ids)]
        if what == "place":
            new = changes.new_id(layout)
            layout, expected = changes.placed(layout, Panel(new), one, side), expected | {new}
        elif what == "move":
            layout = changes.moved(layout, one, other, side)
        else:
            layout, expected = changes.closed(layout, one), expected - {one}
            expected = expected or {panel.id for panel in changes.panels_of(layout.root)}
        found = [panel.id for panel in changes.panels_of(layout.root)]
        assert len(found) == len(set(found))
        assert set(found) == expected
        assert _whole(layout.root)


def test_a_panel_stands_where_it_was_put() -> None:
    layout = changes.placed(EMPTY, Panel(2), 1, Side.RIGHT)
    layout = changes.placed(layout, Panel(3), 1, Side.LEFT)
    layout = changes.placed(layout, Panel(4), 2, Side.BELOW)
    assert layout.root == Split(
        Direction.COLUMNS,
        (Panel(3), Panel(1), Split(Direction.ROWS, (Panel(2), Panel(4)), (500, 500))),
        (250, 250, 500),
    )
    moved = changes.moved(layout, 4, 3, Side.ABOVE)
    assert moved.root == Split(
        Direction.COLUMNS,
        (Split(Direction.ROWS, (Panel(4), Panel(3)), (500, 500)), Panel(1), Panel(2)),
        (250, 250, 500),
    )
    assert changes.neighbour(moved, 2, 1) == 4


def test_the_last_panel_leaves_an_empty_one() -> None:
    assert changes.closed(Layout(Panel(3, title="x"), ("a",)), 3) == Layout(Panel(4), ("a",))


def test_a_series_is_shown_once() -> None:
    cpu, queue = Plotted(role="cpu"), Plotted("a", "q")
    layout = changes.with_plotted(changes.with_plotted(EMPTY, 1, [cpu, queue]), 1, [queue, cpu])
    assert layout.root == Panel(1, (cpu, queue))
    assert changes.without_plotted(layout, 1, [cpu]).root == Panel(1, (queue,))
    assert changes.with_plotted(layout, 9, [cpu]) == layout


def test_sizes_change_where_the_path_leads() -> None:
    layout = changes.placed(changes.placed(EMPTY, Panel(2), 1, Side.RIGHT), Panel(3), 2, Side.BELOW)
    assert changes.resized(layout, [1], [30, 0]).root.parts[1].sizes == (30, 1)
    assert changes.resized(layout, [], [7, 8]).root.sizes == (7, 8)
    assert changes.resized(layout, [0], [7, 8]) == layout
