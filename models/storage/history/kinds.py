"""What is held of every kind that is kept by itself, and what other limits would remove."""

from models.domain.queries import KeepLimit, KindHeld, Removal, RetentionRequest, RetentionResult, StoreKind
from models.storage.history.store_view import StoreView
from models.storage.keeping.hour_columns import HOUR_US, WEEK_HOURS
from models.storage.keeping.retention import HELD, NO_LIMIT, SIZE, ClosedSegment, beyond
from models.storage.segments.open_segment import fetch
from models.storage.segments.segment_file import files_size

_WEEK_US = WEEK_HOURS * HOUR_US
_SPAN = """SELECT coalesce(sum(messages), 0), coalesce(min(first_us), 0) FROM segment
    LEFT JOIN capture ON capture.id = capture_id WHERE state IN ('open', 'closed') AND last_us AND (kind IS 'import') = ?"""
_HOURS = "SELECT coalesce(sum(bytes), 0), coalesce(sum(parts), 0), coalesce(min(iif(segment_id = 0, week, NULL)), 0) FROM hours"
_GONE = "SELECT coalesce(min(first_us), 0) FROM segment WHERE state = 'removed' AND samples"
_HOUR_WEEKS = "SELECT week, sum(bytes), sum(parts) FROM hours WHERE segment_id = 0 GROUP BY week ORDER BY week"
_SEGMENT_KINDS = {StoreKind.RECORDED: 0, StoreKind.IMPORTED: 1}


def kinds_held(view: StoreView) -> tuple[KindHeld, ...]:
    """One for each kind."""
    hours = KindHeld(StoreKind.HOURS, 0, 0, 0)
    if view.has_hours:
        size, parts, week = fetch(view.catalogue, _HOURS)[0]
        gone_us = fetch(view.catalogue, _GONE)[0][0]
        hours = KindHeld(StoreKind.HOURS, size, parts, max(week * _WEEK_US, gone_us) if week else 0)
    found = []
    for kind, imported in _SEGMENT_KINDS.items():
        messages, first_us = fetch(view.catalogue, _SPAN, (imported,))[0]
        size = fetch(view.catalogue, SIZE, (imported,))[0][0]
        size += files_size(view.workspace.catalogue) - hours.bytes if kind is StoreKind.RECORDED else 0
        found.append(KindHeld(kind, size, messages, first_us))
    return (*found, hours)


def answer_retention(view: StoreView, request: RetentionRequest, now_us: int) -> RetentionResult:
    """What a recorder would do with such limits."""
    kept = {one.kind: one.bytes for one in kinds_held(view)}
    removals = []
    for limit in request.limits:
        if limit.kind is StoreKind.HOURS:
            gone = _hours_gone(view, kept[limit.kind], limit, now_us) if view.has_hours else None
        else:
            gone = _segments_gone(view, kept[limit.kind], limit, now_us)
        if gone is not None:
            removals.append(gone)
    return RetentionResult(request, tuple(removals))


def _segments_gone(view: StoreView, kept: int, limit: KeepLimit, now_us: int) -> Removal | None:
    closed = [ClosedSegment(*row) for row in fetch(view.catalogue, HELD, (_SEGMENT_KINDS[limit.kind],))]
    gone = list(beyond(closed, kept, limit.bytes or NO_LIMIT, now_us - limit.us if limit.us else 0))
    if not gone:
        return None
    return Removal(
        limit.kind, sum(one.bytes for one in gone), sum(one.messages for one in gone), max(one.last_us for one in gone)
    )


def _hours_gone(view: StoreView, kept: int, limit: KeepLimit, now_us: int) -> Removal | None:
    oldest_us = now_us - limit.us if limit.us else 0
    bytes_ = parts = last_us = 0
    for week, size, n in fetch(view.catalogue, _HOUR_WEEKS):
        if kept - bytes_ <= (limit.bytes or NO_LIMIT) and (week + 1) * _WEEK_US > oldest_us:
            break
        bytes_, parts, last_us = bytes_ + size, parts + n, (week + 1) * _WEEK_US
    return Removal(limit.kind, bytes_, parts, last_us) if last_us else None
