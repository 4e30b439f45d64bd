"""What agents are called."""

from typing import Any

from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import fetch


def names_of_agents(view: StoreView) -> dict[int, tuple[str, str]]:
    """Id and shown name of every agent. One may be so new that only an open segment names it."""
    found: dict[int, tuple[str, str]] = {
        id_: (name, given or own or name)
        for id_, name, given, own in fetch(view.catalogue, "select id, name, given_name, own_name from agent")
    }
    nothing: list[Any] = []
    for row in view.all():
        if row.is_open:
            for id_, name in view.attempt(row, lambda opened, _: opened.rows("select id, name from agent"), nothing):
                found.setdefault(id_, (name, name))
    return found
