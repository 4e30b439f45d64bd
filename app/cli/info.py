"""`info`: what a workspace holds, in figures."""

import argparse
import json
import sys

from app.cli.workspace_argument import workspace_of
from models.domain.problems import EnvironmentProblem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `info`."""
    parser.add_argument("--json", action="store_true", help="as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the figures; works while a recorder runs. Raises `EnvironmentProblem` "workspace.*"."""
    from app.files.status import read_status
    from app.settings import SettingsFile
    from app.store_limits import store_limits
    from models.storage.history.info import store_info

    workspace = workspace_of(args)
    try:
        limits = store_limits(SettingsFile(workspace.settings).load().retention)
    except EnvironmentProblem as error:  # the figures do not depend on it
        print(f"murmurscope: {error}", file=sys.stderr)
        limits = None
    figures = store_info(workspace, limits=limits)
    if files := read_status(workspace):
        figures["files"] = files.as_dict()
    if args.json:
        print(json.dumps(figures))
    else:
        _print(figures, "")
    return 0


def _print(figures: dict[str, object], indent: str) -> None:
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{indent}{name}:")
            _print(value, f"{indent}  ")
        elif isinstance(value, list):
            print(f"{indent}{name}:")
            for entry in value:
                print(f"{indent}  {', '.join(f'{key} {told}' for key, told in entry.items() if told is not None)}")
        else:
            print(f"{indent}{name}: {'–' if value is None else value}")
