"""What sealing came to, in figures."""

from models.domain.queries import SealedFigures
from models.storage.history.store_view import StoreView
from models.storage.segments.open_segment import fetch
from models.storage.segments.schema import SEALED_LAYOUT

_SCHEMA = 4
_QUERY = """select count(*) filter (where layout = ?1), coalesce(sum(bytes) filter (where layout = ?1), 0),
    coalesce(sum(unsealed_bytes) filter (where layout = ?1), 0), count(*) filter (where layout < ?1),
    coalesce(sum(seal_failures), 0) from segment where state = 'closed'"""


def sealed_figures(view: StoreView) -> SealedFigures:
    """Of the closed segments that are held. All 0 in a catalogue that is older."""
    if int(view.catalogue.pragma("user_version")) < _SCHEMA:
        return SealedFigures()
    return SealedFigures(*fetch(view.catalogue, _QUERY, (SEALED_LAYOUT,))[0])
