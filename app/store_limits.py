"""What the settings say of how much is kept, as the store takes it."""

from app.settings import Retention
from models.storage.keeping.retention import NO_LIMIT, StoreLimits

RESERVE_BYTES = 32 * 1024 * 1024


def store_limits(retention: Retention) -> StoreLimits:
    """0 in the settings means no limit."""

    def most_bytes(gib: float) -> int:
        return round(gib * 1024**3) or NO_LIMIT

    def most_s(days: float) -> int:
        return round(days * 86_400) or NO_LIMIT

    return StoreLimits(
        retention_bytes=most_bytes(retention.gib),
        retention_s=most_s(retention.days),
        import_bytes=most_bytes(retention.import_gib),
        import_s=most_s(retention.import_days),
        reserve_bytes=RESERVE_BYTES,
        hours_bytes=most_bytes(retention.hours_gib),
        hours_s=most_s(retention.hours_days),
    )
