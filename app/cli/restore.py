"""`restore`: a workspace back from a backup."""

import argparse
import signal
import sys
from pathlib import Path

from app.cli.byte_progress import ByteProgress, size_text
from app.cli.workspace_argument import workspace_of
from models.domain.problems import ExitCode

EPILOG = """\
examples:
  murmurscope restore --workspace copy fleet.tar.gz
  ssh recorder.example murmurscope backup - | murmurscope restore --workspace copy -

The workspace has to be an empty folder, or none yet. Everything is checked before anything appears; a file that is cut, damaged
or no backup leaves nothing. A recorder started on the workspace records on, beside that of the original.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `restore`."""
    parser.epilog = EPILOG
    parser.add_argument("file", metavar="FILE", help="what backup wrote; - is stdin")


def run(args: argparse.Namespace) -> int:
    """Bring it back. Raises `EnvironmentProblem` "workspace.*", "backup.*", "file.*", "store.io"."""
    from models.domain.time_range import moment_text
    from models.storage.copies.restore import restore

    for number in (signal.SIGTERM, signal.SIGHUP):  # else nobody would take what is unpacked away
        signal.signal(number, lambda *_: sys.exit(ExitCode.FAILED))
    workspace, progress = workspace_of(args), ByteProgress()
    restored = restore(workspace, Path("/dev/stdin" if args.file == "-" else args.file), progress.show)
    for segment in restored.missing:
        progress.tell(f"segment {segment} was gone already when the backup was made")
    progress.end(f"{size_text(restored.size_bytes)} restored into {workspace.root}")
    if restored.about.since_us:
        progress.tell(f"history that ended before {moment_text(restored.about.since_us)} was left out of this backup")
    return ExitCode.OK
