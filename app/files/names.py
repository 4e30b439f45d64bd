"""Names of the files: `<dataset>-<day>.<format>`, then `<dataset>-<day>-2.<format>` and so on, with `.gz` once finished."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.files.options import FORMATS
from models.storage.export.run import STREAMS

GZ, PART = ".gz", ".part"
_NAME = re.compile(
    rf"(?P<dataset>{'|'.join(STREAMS)})-(?P<day>\d{{4}}-\d\d-\d\d)(-(?P<number>[1-9]\d*))?"
    rf"\.(?P<format>{'|'.join(FORMATS)})(?P<end>(\{GZ}(\{PART})?)?)"
)


@dataclass(frozen=True, slots=True)
class FileName:
    """`end` is "", `.gz`, or `.gz.part` while the compressed file is being made."""

    dataset: str
    day: str
    number: int
    format: str
    end: str = ""

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """None for a file that is not ours."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        return cls(found["dataset"], found["day"], int(found["number"] or 1), found["format"], found["end"])

    def __str__(self) -> str:
        number = f"-{self.number}" if self.number > 1 else ""
        return f"{self.dataset}-{self.day}{number}.{self.format}{self.end}"


def our_files(folder: Path) -> list[FileName]:
    """All of ours in a folder, the oldest day first. Raises `OSError`."""
    found = [one for entry in folder.iterdir() if (one := FileName.parse(entry.name)) is not None]
    return sorted(found, key=lambda one: (one.day, one.number, one.dataset))
