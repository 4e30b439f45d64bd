"""What people marked in time."""

import json
from typing import Any

from models.domain.annotations import Annotation, AnnotationsRequest, AnnotationsResult
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import fetch

_ALL = """SELECT n.id, n.since_us, n.until_us, n.agent_id, coalesce(a.name, ''), n.text, n.tags, n.changed_us
    FROM annotation n LEFT JOIN agent a ON a.id = n.agent_id ORDER BY n.since_us, n.id"""


def answer_annotations(view: StoreView, request: AnnotationsRequest) -> AnnotationsResult:
    """None in a catalogue that no recorder of this version has opened yet."""
    rows: list[Any] = fetch(view.catalogue, _ALL) if view.has_annotations else []
    found = [Annotation._make([*row[:6], tuple(json.loads(row[6])), row[7]]) for row in rows]
    return AnnotationsResult(request, tuple(found))
