"""Where the files that ship with the program lie."""

import sys
from pathlib import Path


def resource_path(*parts: str) -> Path:
    """A file below `resources/`, in a checkout and in the packaged program alike. It need not exist."""
    frozen = getattr(sys, "_MEIPASS", None)
    root = Path(frozen) if frozen else Path(__file__).resolve().parents[2]
    return root.joinpath("resources", *parts)
