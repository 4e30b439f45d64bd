"""The places of a JSON document that hold a single value. Pure."""

from typing import Any, NamedTuple

from models.domain.json_path import NOTHING, Path

MOST_PLACES = 500


class Place(NamedTuple):
    path: Path
    value: Any


def places_of(document: Any) -> list[Place]:
    """In the order in which they stand, as many as a list can hold; none where the document is a single value, or no
    document (`NOTHING`)."""
    found: list[Place] = []
    waiting: list[Place] = [] if document is NOTHING else [Place((), document)]
    while waiting and len(found) < MOST_PLACES:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [Place((*path, key), one) for key, one in list(value.items())[:MOST_PLACES]][::-1]
        elif isinstance(value, list):
            waiting += [Place((*path, place), one) for place, one in enumerate(value[:MOST_PLACES])][::-1]
        elif path:
            found.append(Place(path, value))
    return found
