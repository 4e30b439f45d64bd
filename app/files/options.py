"""What is asked of the files: where, how written, how many."""

from dataclasses import dataclass
from pathlib import Path

FORMATS = ("jsonl", "csv")
LARGEST_BYTES = 64 * 1024 * 1024
CURRENT_SHARE = 16


@dataclass(frozen=True, slots=True)
class FilesOptions:
    """`folder` is absolute; `total_bytes` of all files in it, as they lie there."""

    folder: Path
    format: str = "jsonl"
    total_bytes: int = 2 * 1024**3

    @property
    def file_bytes(self) -> int:
        """Size at which a file is finished: files that are still written, which nobody removes, must be few of all."""
        return max(1, min(LARGEST_BYTES, self.total_bytes // CURRENT_SHARE))
