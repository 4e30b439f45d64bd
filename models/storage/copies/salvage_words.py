"""What only the user knows of agents, out of a catalogue that was set aside: the segments do not tell it."""

from pathlib import Path
from typing import Any

import apsw

from models.storage.catalogue import Agent
from models.storage.copies.salvage_pages import readable_rows, shapes
from models.storage.transaction import transaction

_WORDS = ("given_name", "given_group", "note", "maintenance_until_us", "retired_us")
_SAID = f"UPDATE agent SET {', '.join(f'{word} = ?' for word in _WORDS)} WHERE name = ?"


def bring_back_words(damaged: Path, catalogue: apsw.Connection) -> int:
    """Give agents the names, groups and notes that can still be read. Answers of how many agents. Raises the engine's errors
    and `OSError`."""
    columns = [field.column_name for field in Agent._meta.sorted_fields]  # noqa: SLF001 - peewee's documented way
    found: dict[str, list[Any]] = {}
    for _, _, values in readable_rows(damaged, shapes([Agent]), _nobody):
        row = dict(zip(columns, values, strict=True))
        if any(row[word] for word in _WORDS):
            found[str(row["name"])] = [row[word] for word in _WORDS]
    back = 0
    with transaction(catalogue):
        for name, words in found.items():
            catalogue.execute(_SAID, (*words, name))
            back += catalogue.changes()
    return back


def _nobody(_done: int, _of: int) -> None:
    """It takes a moment."""
