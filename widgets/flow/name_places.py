"""Where the names of nodes stand so that none covers another: the most important first; who finds no room goes without."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

Point = tuple[float, float]


class NameBox(NamedTuple):
    """In pixels."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: "NameBox") -> bool:
        """Have they a pixel in common?"""
        apart = self.x >= other.x + other.width or other.x >= self.x + self.width
        return not (apart or self.y >= other.y + other.height or other.y >= self.y + self.height)


def name_places(
    nodes: Iterable[int],
    at: Mapping[int, Point],
    clear_of: Iterable[Point],
    width_of: Callable[[int], float],
    height: float,
    radius: float,
    room: NameBox,
    must: frozenset[int] = frozenset(),
) -> dict[int, NameBox]:
    """`nodes` from the most important on, each `at` some place. Below, above, right or left of it, wherever there is room first:
    inside `room`, and not over those nodes that stand at `clear_of`, of this `radius`. `must`: they are named in any case, and before
    all others."""  # fmt: skip
    rows: dict[int, list[NameBox]] = {}

    def free(box: NameBox) -> bool:
        if box.x < room.x or box.y < room.y or box.x + box.width > room.width or box.y + box.height > room.height:
            return False
        first, last = int(box.y // height), int((box.y + box.height) // height)
        return not any(box.meets(other) for row in range(first, last + 1) for other in rows.get(row, ()))

    def take(box: NameBox) -> None:
        for row in range(int(box.y // height), int((box.y + box.height) // height) + 1):
            rows.setdefault(row, []).append(box)

    for x, y in clear_of:
        take(NameBox(x - radius, y - radius, 2 * radius, 2 * radius))
    found: dict[int, NameBox] = {}
    order = list(nodes)
    for node in [*(one for one in order if one in must), *(one for one in order if one not in must)]:
        (x, y), width = at[node], width_of(node)
        below = NameBox(x - width / 2, y + radius + 2, width, height)
        choices = (
            below,
            below._replace(y=y - radius - 2 - height),
            NameBox(x + radius + 3, y - height / 2, width, height),
            NameBox(x - radius - 3 - width, y - height / 2, width, height),
        )
        box = next((one for one in choices if free(one)), below if node in must else None)
        if box is not None:
            found[node] = box
            take(box)
    return found
