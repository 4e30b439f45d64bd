"""The workspace that a command means."""

import argparse

from models.storage.workspace import Workspace


def workspace_of(args: argparse.Namespace) -> Workspace:
    """The one named by `--workspace`, else the default one."""
    return Workspace.at(args.workspace) if args.workspace else Workspace.default()
