"""A layout as text: comes back exactly, and what cannot be one says why."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.layouts.changes import grid, panels_of
from models.domain.layouts.layout import Direction, Kind, Layout, Node, Panel, Plotted, Shown, Split, Watched
from models.domain.layouts.layout_text import read_layout, write_layout
from models.domain.problems import EnvironmentProblem

NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
PLOTTED = st.builds(Plotted, st.just("") | NAME, NAME, st.just("") | NAME, st.just(""), st.sampled_from(Shown)) | st.builds(
    lambda agent, role, shown: Plotted(agent, role=role, shown=shown), st.just("") | NAME, NAME, st.sampled_from(Shown)
) | st.builds(lambda query, shown: Plotted(query=query, shown=shown), NAME, st.sampled_from(Shown))  # fmt: skip
PANEL = st.builds(
    Panel, st.just(1), st.lists(PLOTTED, max_size=4).map(tuple), st.just("") | NAME, st.booleans(), st.booleans(),
    st.integers(0, 10**8),
    st.lists(st.builds(Watched, st.floats(allow_nan=False, allow_infinity=False), st.just("") | NAME), max_size=2).map(tuple),
    st.sampled_from(Kind),
)  # fmt: skip


def _split(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    sizes = st.integers(1, 5_000)
    return st.lists(st.tuples(parts, sizes), min_size=2, max_size=3).flatmap(
        lambda pairs: st.sampled_from(Direction).map(
            lambda direction: Split(direction, tuple(one for one, _ in pairs), tuple(size for _, size in pairs))
        )
    )


def _numbered(node: Node, ids: list[int]) -> Node:
    if isinstance(node, Panel):
        return replace(node, id=ids.pop())
    return Split(node.direction, tuple(_numbered(part, ids) for part in node.parts), node.sizes)


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    root = draw(st.recursive(PANEL, _split, max_leaves=8))
    count = len(list(panels_of(root)))
    ids = draw(st.lists(st.integers(1, 10_000), min_size=count, max_size=count, unique=True))
    return Layout(_numbered(root, ids), tuple(draw(st.lists(NAME, max_size=4))))


@given(layouts())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back_exactly(layout: Layout) -> None:
    text = write_layout(layout)
    assert read_layout(text, "mine") == layout
    assert read_layout(text.encode().decode(), "mine") == layout


@given(layouts(), st.integers(0, 10_000), st.text(max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_damaged_text_is_a_layout_or_a_problem(layout: Layout, at: int, put: str) -> None:
    text = write_layout(layout)
    at %= len(text)
    problem = None
    try:
        read_layout(text[:at] + put + text[at + 3 :], "mine")
    except EnvironmentProblem as error:
        problem = error.problem
    assert problem is None or (problem.code in ("layout.unreadable", "layout.newer") and "mine" in problem.sentence())


def test_it_reads_like_what_a_person_would_write() -> None:
    layout = Layout(
        Split(Direction.ROWS, (Panel(1, (Plotted(role="cpu"),), "Load"), Panel(2, (Plotted("a", "q"),))), (600, 400)),
        ("crawler-1",),
    )
    assert write_layout(layout).splitlines()[1:] == [
        "version = 1",
        'agents = ["crawler-1"]',
        "arrangement = {rows = [1, 2], sizes = [600, 400]}",
        "",
        "[panel.1]",
        'title = "Load"',
        "series = [",
        '    {role = "cpu"},',
        "]",
        "",
        "[panel.2]",
        "series = [",
        '    {agent = "a", metric = "q"},',
        "]",
    ]


def test_sizes_and_arrangement_may_be_left_out() -> None:
    assert read_layout("version = 1\n[panel.4]", "x") == Layout(Panel(4))
    text = "version = 1\narrangement = {columns = [1, 2]}\n[panel.1]\n[panel.2]"
    assert read_layout(text, "x").root == Split(Direction.COLUMNS, (Panel(1), Panel(2)), (1, 1))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("version = 2", "newer Murmurscope (version 2"),
        ("", "does not begin with"),
        ("version = true", "does not begin with"),
        ("version = 1", "no [panel.1]"),
        ("version = 1\n[panel.1\n", "line 2"),
        ("version = 1\ncolour = 3\n[panel.1]", "“colour” of the layout is not known"),
        ("version = 1\n[panel.1]\nseries = [{metric = 'a', x = 1}]", "“x” of a series of panel 1 is not known"),
        ("version = 1\n[panel.1]\nseries = [{agent = 'a'}]", "either a metric or a role"),
        ("version = 1\n[panel.1]\nseries = [{role = 'cpu', query = 'a'}]", "or a query of log records"),
        ("version = 1\n[panel.1]\nseries = [{agent = 'a', query = 'b'}]", "names agents itself"),
        (
            "version = 1\n[panel.1]\nseries = [{metric = 'a', shown = 'p12'}]",
            "none of value, rate, increase, p50, p95, p99",
        ),
        ("version = 1\n[panel.1]\nrepeat = 1", "repeat of panel 1 is not true or false"),
        ("version = 1\n[panel.1]\nthresholds = [{value = nan}]", "a threshold of panel 1"),
        (f"version = 1\n[panel.1]\nthresholds = [{{value = {10**400}}}]", "a threshold of panel 1"),
        ("version = 1\n[panel.1]\nthresholds = [{value = 1, x = 2}]", "“x” of a threshold"),
        ("version = 1\n[panel.1]\nkind = 'pie'", "none of plot, distribution, values"),
        ("version = 1\n[panel.1]\n[panel.2]", "several panels and no arrangement"),
        ("version = 1\n[panel.01]", "[panel.01] is not"),
        ("version = 1\narrangement = {rows = [1, 1]}\n[panel.1]", "names panel 1, which"),
        ("version = 1\narrangement = {rows = [1, 2]}\n[panel.1]\n[panel.2]\n[panel.3]", "panel 3 stands nowhere"),
        ("version = 1\narrangement = {rows = [1, 2], sizes = [0, 1]}\n[panel.1]\n[panel.2]", "above 0 for each part"),
        ("version = 1\narrangement = {rows = [1]}\n[panel.1]", "fewer than two parts"),
    ],
)
def test_what_makes_no_sense_is_told_with_a_way_on(text: str, why: str) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        read_layout(text, "mine")
    sentence = caught.value.problem.sentence()
    assert why in sentence
    assert "choose another" in sentence


def test_a_grid_is_about_square() -> None:
    made = grid([Panel(number) for number in range(1, 6)])
    assert isinstance(made, Split)
    assert [len(list(panels_of(row))) for row in made.parts] == [2, 2, 1]
    assert grid([Panel(1)]) == Panel(1)
