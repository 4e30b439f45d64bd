"""May a workspace lie and be written here? Asked before anything of it is opened."""

import os
import re
import tempfile
from pathlib import Path

from models.domain.problems import trouble
from models.storage.catalogue import SCHEMA
from models.storage.engine import APPLICATION_ID
from models.storage.store_errors import environment_problem
from models.storage.workspace import Workspace

NETWORK_KINDS = re.compile(
    r"(nfs\d?|cifs|smb.*|9p|ceph|afs|ncpfs?|lustre|gpfs|beegfs|glusterfs|orangefs|pvfs2|coda|davfs"
    r"|fuse\.(sshfs|ceph.*|glusterfs|s3fs|rclone|davfs2?|smbnetfs|curlftpfs|gvfsd-fuse|nfs.*|cifs.*))"
)
"""File systems of other computers: their locks and shared memory do not hold what SQLite's WAL needs."""

_MOUNTS = Path("/proc/self/mountinfo")
_HEADER_BYTES, _USER_VERSION_AT, _APPLICATION_AT = 100, 60, 68  # of the SQLite file format


def prepare_folder(workspace: Workspace, mounts: Path = _MOUNTS) -> None:
    """Make sure that the workspace is a folder of this computer that we may write; create it for its owner alone.

    Raises `EnvironmentProblem` workspace.network, workspace.read-only, store.full or store.io.
    """
    _refuse_network(workspace, mounts)
    try:
        for folder in (workspace.root, workspace.segments):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, probe = tempfile.mkstemp(prefix=".may-write-", dir=folder)
            os.close(handle)
            Path(probe).unlink()
    except OSError as error:
        raise (environment_problem(error, workspace.root) or error) from error


def refuse_untouched(workspace: Workspace, mounts: Path = _MOUNTS) -> None:
    """Refuse a workspace of a newer program, or on a network file system, before a lock or a log leaves a trace in it.

    Raises `EnvironmentProblem` workspace.newer or workspace.network.
    """
    _refuse_network(workspace, mounts)
    refuse_newer(workspace)


def refuse_newer(workspace: Workspace) -> None:
    """Refuse what a newer program wrote, from the file's header, before SQLite puts its files beside it.

    Raises `EnvironmentProblem` workspace.newer.
    """
    try:
        with workspace.catalogue.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError:
        return  # not there, or not to be read: said by whoever opens it
    found, application = (int.from_bytes(header[at : at + 4], "big") for at in (_USER_VERSION_AT, _APPLICATION_AT))
    if len(header) == _HEADER_BYTES and application == APPLICATION_ID and found > SCHEMA:
        raise trouble("workspace.newer", found=found, known=SCHEMA)


def _refuse_network(workspace: Workspace, mounts: Path) -> None:
    kind = file_system_kind(workspace.root, mounts)
    if NETWORK_KINDS.fullmatch(kind):
        raise trouble("workspace.network", path=str(workspace.root), kind=kind)


def create_private_file(path: Path) -> None:
    """An empty file that only its owner may read. SQLite gives its WAL the same rights. Raises `FileExistsError`."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))


def sync_folder(folder: Path) -> None:
    """Make names that were created or renamed in a folder survive a power cut."""
    _sync(folder, os.O_DIRECTORY)


def sync_file(path: Path) -> None:
    """Make what was written to a file survive a power cut."""
    _sync(path, 0)


def _sync(path: Path, kind: int) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | kind)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_system_kind(path: Path, mounts: Path = _MOUNTS) -> str:
    """Type of the file system that holds `path` or would hold it, such as `ext4` or `nfs4`; "" where nobody can tell."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        fields, kinds = left.split(" "), right.split(" ")
        if len(fields) < 5 or not kinds[0]:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4]))
        if len(point.parts) >= best and path.is_relative_to(point):
            best, kind = len(point.parts), kinds[0]
    return kind
