"""Numbers in the reader's language: `models.domain.quantity` with the decimal separator of the window's locale."""

from PySide6.QtCore import QLocale

from models.domain.quantity import format_count, format_duration, format_value


def value_text(value: float | None, unit: str = "") -> str:
    """A number with its unit, such as "1,5 KiB" in Polish; missing and NaN show as an en dash."""
    return format_value(value, unit, QLocale().decimalPoint())


def count_text(count: float | None) -> str:
    """How many."""
    return format_count(count, QLocale().decimalPoint())


def duration_text(duration_us: int | None) -> str:
    """How long something took."""
    return format_duration(duration_us, QLocale().decimalPoint())
