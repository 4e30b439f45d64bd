"""Which workspace is this, and is this its home? A copy has the same id as its original, and another client id.

The client id is made of the workspace's id, the computer and the path. Each capture of a recorder keeps its own, so the last of
them tells whether the workspace was recorded where it lies now.
"""

import hashlib
import os
import platform
import shutil
import tempfile
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import apsw

from models.storage.engine import open_reader
from models.storage.lock import read_lock
from models.storage.segments.open_segment import DAMAGE
from models.storage.store_errors import environment_problem
from models.storage.workspace import Workspace

MACHINE_ID = Path("/etc/machine-id")
_ID = "SELECT value FROM workspace WHERE key = 'id'"
_LAST = "SELECT client_id FROM capture WHERE kind = 'record' ORDER BY id DESC LIMIT 1"


class Home(NamedTuple):
    """`copied`: the last recorder of this workspace ran elsewhere. `writable`: whoever asks may write here. `held`: a recorder
    runs here now."""

    copied: bool
    writable: bool
    held: bool = False


def read_workspace_id(workspace: Workspace) -> str:
    """The id that the workspace got when it was made; a copy has the same. Raises `EnvironmentProblem` store.io."""
    try:
        reader = open_reader(workspace.catalogue)
        try:
            return str(reader.execute(_ID).fetchall()[0][0])
        finally:
            reader.close()
    except Exception as error:
        raise (environment_problem(error, workspace.catalogue) or error) from error


def client_id(workspace: Workspace, workspace_id: str, machine_file: Path = MACHINE_ID) -> str:
    """The same in every run; another one for a copy of the workspace, here or elsewhere, which must not steal the session.
    23 characters, the most that every MQTT 3.1.1 broker admits."""
    try:
        machine = machine_file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        machine = platform.node()
    digest = hashlib.sha256("\0".join((workspace_id, machine, str(workspace.root))).encode("utf-8", "surrogateescape"))
    return f"murmurscope-{digest.hexdigest()[:11]}"


def home_of(workspace: Workspace) -> Home:
    """Leaves no trace in the folder. Where a recorder runs now, or nobody can tell, it is no copy: whoever opens it says what
    is wrong."""
    writable = os.access(workspace.root, os.W_OK)
    if read_lock(workspace).held:
        return Home(copied=False, writable=writable, held=True)
    try:
        id_, last = _recorded_as(workspace.catalogue)
    except (OSError, ValueError, apsw.SQLError, *DAMAGE):
        return Home(copied=False, writable=writable)
    return Home(bool(last) and last[0] != client_id(workspace, id_), writable)


def _recorded_as(catalogue: Path) -> tuple[str, list[str]]:
    log = Path(f"{catalogue}-wal")
    with tempfile.TemporaryDirectory(prefix="murmurscope-") as folder:
        path = catalogue
        if log.exists() and log.stat().st_size:  # part of it stands in its log, which only a copy may be opened with
            path = Path(shutil.copy(catalogue, folder))
            shutil.copy(log, folder)
        reader = open_reader(path, immutable=path is catalogue)
        try:
            ((id_,),) = reader.execute(_ID).fetchall()
            return str(id_), [str(client) for (client,) in reader.execute(_LAST)]
        finally:
            reader.close()


def own_version() -> str:
    """Of this program, as captures note it."""
    try:
        return metadata.version("murmurscope")
    except metadata.PackageNotFoundError:
        return "0"
