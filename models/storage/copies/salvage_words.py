"""What only the user knows, out of a catalogue that was set aside: names, groups and notes of agents, and what was marked in
time. The segments do not tell it."""

from pathlib import Path
from typing import Any

import apsw

from models.storage.catalogue import Agent, Annotation
from models.storage.copies.salvage_pages import readable_rows, shapes
from models.storage.transaction import transaction
from models.storage.writing.annotations import Kept, bring_annotations

_WORDS = ("given_name", "given_group", "note", "maintenance_until_us", "retired_us")
_SAID = f"UPDATE agent SET {', '.join(f'{word} = ?' for word in _WORDS)} WHERE name = ?"


def bring_back_words(damaged: Path, catalogue: apsw.Connection) -> tuple[int, int]:
    """Give back what can still be read. Answers of how many agents, and how many annotations. Raises the engine's errors and
    `OSError`."""
    columns = [field.column_name for field in Agent._meta.sorted_fields]  # noqa: SLF001 - peewee's documented way
    found: dict[str, list[Any]] = {}
    names: dict[int, str] = {}
    marked: dict[str, list[Any]] = {}
    for table, id_, values in readable_rows(damaged, shapes([Agent, Annotation]), _nobody):
        if table == "annotation":
            marked[str(values[0])] = values
            continue
        row = dict(zip(columns, values, strict=True))
        names[id_] = str(row["name"])
        if any(row[word] for word in _WORDS):
            found[str(row["name"])] = [row[word] for word in _WORDS]
    kept = [Kept._make([*one[:3], names.get(one[3], ""), *one[4:]]) for one in marked.values()]
    back = 0
    with transaction(catalogue):
        for name, words in found.items():
            catalogue.execute(_SAID, (*words, name))
            back += catalogue.changes()
        here: list[Any] = catalogue.execute("SELECT name, id FROM agent").fetchall()
        numbered = dict(here)
        ids = {name: numbered.get(name, id_) for id_, name in names.items()}
        bring_annotations(catalogue, kept, {one.agent: ids[one.agent] for one in kept if one.agent})
    return back, len(kept)


def _nobody(_done: int, _of: int) -> None:
    """It takes a moment."""
