"""What somebody wants to take in, told apart: recorded traffic, or what another workspace holds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from app.recorder.import_run import Importer
from app.recorder.merge_run import Merger
from models.domain.problems import trouble
from models.domain.recorded import ImportResult, OnProgress
from models.storage.copies.format import is_backup


class Imports:
    """Any thread."""

    def __init__(self, importer: Importer, merger: Merger) -> None:
        self._importer, self._merger = importer, merger

    def run(
        self,
        paths: Sequence[Path],
        prefix: str,
        on_progress: OnProgress,
        *,
        again: bool = False,
        make_room: bool = False,
    ) -> ImportResult:
        """Files of recorded traffic together, as `Importer.run`; backups and folders one after the other, each whole or not
        at all, as `Merger.run`. Raises also import.mixed."""
        held = [path for path in paths if path.is_dir() or is_backup(path)]
        if not held:
            return self._importer.run(paths, prefix, on_progress, again=again, make_room=make_room)
        for path in paths:
            if path not in held:
                raise trouble("import.mixed", path=str(path), other=str(held[0]))
        return summed([self._merger.run(path, on_progress, make_room=make_room) for path in held])


def summed(results: Sequence[ImportResult]) -> ImportResult:
    """Of several sources; an agent that is in two of them counts once for each."""
    brought = [one for one in results if one.messages] or results[:1]
    sums: dict[str, Any] = {
        one.name: sum(getattr(result, one.name) for result in results)
        for one in fields(ImportResult)
        if one.type is int
    }
    unreadable = sum((Counter(one.unreadable) for one in results), Counter[str]())
    span = {"since_us": min(one.since_us for one in brought), "until_us": max(one.until_us for one in brought)}
    return ImportResult(**{**sums, **span, "unreadable": dict(unreadable)})
