"""The hidden command `seal-segment`, which the recorder starts: a closed segment is written anew beside itself."""

import argparse
import contextlib
import os

from app.cli.workspace_argument import workspace_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `seal-segment`."""
    parser.add_argument("--segment", type=int, required=True)


def run(args: argparse.Namespace) -> int:
    """Write the sealed file; the recorder swaps it in. Raises `EnvironmentProblem` "sealing.damaged" and "store.*"."""
    from models.storage.sealing.seal import seal

    give_way()
    os.umask(0o077)
    workspace = workspace_of(args)
    seal(workspace.segment(args.segment), workspace.sealing(args.segment))
    return 0


def give_way() -> None:
    """Work only while nobody else wants processor or disk, as far as the system knows of such a thing."""
    import psutil

    os.nice(19)
    with contextlib.suppress(AttributeError, OSError, psutil.Error):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
