"""What one says of a store: how much it holds, how fast it grows, when it is full. Translated texts from plain figures."""

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from models.domain.control import RecorderState
from models.domain.quantity import format_time
from models.domain.queries import RetentionResult, SealedFigures, StoreKind, StoreResult
from widgets.common.numbers import count_text, duration_text, value_text

DAY_US = 86_400_000_000
GIB = 1024**3
_FULL = 0.98
"""Files are removed whole, so a store at its limit is a little below it."""

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


@dataclass(frozen=True, slots=True)
class Growth:
    """How fast recorded history grows. `room_bytes`: what it may become, by its limit or by the disk."""

    bytes_a_day: float
    room_bytes: float
    used_bytes: int
    limited_by_disk: bool

    @property
    def days_left(self) -> float:
        """Until it is full; 0: it is."""
        left = self.room_bytes - self.used_bytes
        return max(0.0, left / self.bytes_a_day) if self.used_bytes < _FULL * self.room_bytes else 0.0


def growth(store: StoreResult, state: RecorderState | None, limit_gib: float) -> Growth | None:
    """None where no rate is known: no recorder runs, or it has not run for five minutes. `limit_gib` 0: no limit."""
    if state is None or not state.disk_days:
        return None
    used = next(one.bytes for one in store.kinds if one.kind is StoreKind.RECORDED)
    limit, by_disk = limit_gib * GIB or float("inf"), used + store.free_bytes
    room = min(limit, by_disk)
    return Growth(room / state.disk_days, room, used, limited_by_disk=by_disk < limit)


def held_sentence(store: StoreResult) -> str:
    """Such as "2.1 GiB of history: 13 days, since 2026-11-14 09:31"."""
    if not store.last_us:
        return translate("StoreTexts", "Nothing is held yet")
    text = translate("StoreTexts", "{size} of history: {span}, since {first}")
    span = days_text((store.last_us - store.first_us) / DAY_US)
    first = format_time(store.first_us)[:16]
    text = text.replace("{size}", value_text(store.bytes, "By")).replace("{span}", span).replace("{first}", first)
    return "; ".join([text, *_sealed_texts(store.sealed)])


def _sealed_texts(sealed: SealedFigures) -> Iterator[str]:
    if sealed.bytes_saved > 0:
        text = translate("StoreTexts", "compressing closed files saved {size}")
        yield text.replace("{size}", value_text(sealed.bytes_saved, "By"))
    if sealed.failures:
        text = translate("StoreTexts", "attempts to compress closed files that failed: {n}")
        yield text.replace("{n}", count_text(sealed.failures))


def days_text(days: float) -> str:
    """A number of days as people say it."""
    if days < 1 / 24:
        return duration_text(round(days * DAY_US / 1e6) * 1_000_000)
    if days < 2:
        return translate("StoreTexts", "{n} h").replace("{n}", value_text(round(days * 24, 1)))
    number = value_text(round(days, 1) if days < 10 else round(days))
    return translate("StoreTexts", "{n} days").replace("{n}", number)


def growth_sentence(known: Growth | None, keep_days: float) -> str:
    """When it is full and what happens then. `keep_days` 0: no limit of age."""
    if known is None:
        return translate("StoreTexts", "How fast it grows is known after five minutes of recording.")
    rate = translate("StoreTexts", "{size} a day").replace("{size}", value_text(known.bytes_a_day, "By"))
    full_after = known.room_bytes / known.bytes_a_day
    if keep_days and keep_days <= full_after:
        text = translate("StoreTexts", "{rate}: the {days} that are kept take about {size}")
        size = value_text(keep_days * known.bytes_a_day, "By")
        return text.replace("{rate}", rate).replace("{days}", days_text(keep_days)).replace("{size}", size)
    if known.days_left and known.limited_by_disk:
        text = translate("StoreTexts", "{rate}: the disk is full in {days}, before the limit is reached")
    elif known.days_left:
        text = translate("StoreTexts", "{rate}: full in {days}, then the oldest goes as new comes")
    else:
        text = translate("StoreTexts", "{rate}: full, the oldest goes as new comes; it holds about {days}")
    return text.replace("{rate}", rate).replace("{days}", days_text(known.days_left or full_after))


def removal_sentence(told: RetentionResult) -> str:
    """What lower limits would remove, for the question whether they shall."""
    lines = []
    for one in told.removals:
        match one.kind:
            case StoreKind.RECORDED:
                text = translate("StoreTexts", "This removes {size} of recorded history: {n} messages, everything up to {time}. The values of every hour stay.")  # fmt: skip
            case StoreKind.IMPORTED:
                text = translate("StoreTexts", "This removes {size} of imports: {n} messages, up to {time}. The values of every hour stay.")  # fmt: skip
            case StoreKind.HOURS:
                text = translate("StoreTexts", "This removes {size} of hourly values: everything up to {time}.")
        text = text.replace("{size}", value_text(one.bytes, "By")).replace("{n}", count_text(one.rows))
        lines.append(text.replace("{time}", format_time(one.last_us)))
    return "\n".join([*lines, translate("StoreTexts", "It cannot be brought back.")])
