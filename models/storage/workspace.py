"""A workspace is a folder: one broker connection and everything recorded from it. Paths only; nothing is opened here."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

APP_NAME = "murmurscope"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths of the files in a workspace. `root` is absolute."""

    root: Path

    @classmethod
    def at(cls, path: str | Path) -> "Workspace":
        return cls(Path(path).expanduser().resolve())

    @classmethod
    def default(cls) -> "Workspace":
        """Where a workspace lies when nobody says otherwise."""
        return cls(Path(platformdirs.user_data_dir(APP_NAME)) / "workspace")

    @classmethod
    def demo(cls) -> "Workspace":
        """Where the demo lies when nobody says otherwise."""
        return cls(Path(platformdirs.user_data_dir(APP_NAME)) / "demo")

    @property
    def catalogue(self) -> Path:
        return self.root / "catalogue.db"

    @property
    def tasks(self) -> Path:
        """Tasks that were given, and commands."""
        return self.root / "tasks.db"

    @property
    def segments(self) -> Path:
        return self.root / "segments"

    def segment(self, segment_id: int) -> Path:
        return self.segments / f"{segment_id}.db"

    def sealing(self, segment_id: int) -> Path:
        """What is to take the place of a segment, while it is being written."""
        return self.segments / f"{segment_id}.sealing"

    def journal(self, number: int) -> Path:
        """What came and is not in a segment yet; two files, 1 and 2, take turns."""
        return self.root / f"arrivals-{number}.journal"

    @property
    def settings(self) -> Path:
        return self.root / "settings.toml"

    @property
    def rules(self) -> Path:
        return self.root / "rules.toml"

    @property
    def templates(self) -> Path:
        return self.root / "templates.toml"

    @property
    def queries(self) -> Path:
        return self.root / "queries.toml"

    @property
    def layouts(self) -> Path:
        """Of the Explore screen, a file each."""
        return self.root / "layouts"

    @property
    def importing(self) -> Path:
        """A folder for what is unpacked while another workspace is brought in; gone afterwards."""
        return self.root / "importing"

    @property
    def rereading(self) -> Path:
        """A folder for what is made of history that is read again; gone afterwards."""
        return self.root / "rereading"

    @property
    def reserve(self) -> Path:
        """Room that is given back when the disk is full."""
        return self.root / "reserve"

    @property
    def lock(self) -> Path:
        return self.root / "recorder.lock"

    @property
    def pins(self) -> Path:
        return self.root / "recorder.pins"

    @property
    def log(self) -> Path:
        return self.root / "recorder.log"

    @property
    def socket(self) -> Path:
        """The control channel. Named by a hash, as the path of a Unix socket may not be long."""
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        runtime = os.environ.get("XDG_RUNTIME_DIR") or f"{tempfile.gettempdir()}/{APP_NAME}-{os.getuid()}"
        return Path(runtime) / f"{APP_NAME}-{digest}.sock"
