"""`verify`: reads every stored byte and says what does not fit."""

import argparse
import sys

from app.cli.workspace_argument import workspace_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`verify` takes nothing but the workspace."""
    parser.epilog = (
        "Checks structure, check sums and counts of every file; changes nothing. Exit code 1: something does not fit."
    )


def run(args: argparse.Namespace) -> int:
    """Print what does not fit. Raises `EnvironmentProblem` "workspace.*"."""
    from models.storage.verify import Progress, verify

    last = Progress(0, 0, 0)

    def show(progress: Progress) -> None:
        nonlocal last
        last = progress
        if sys.stderr.isatty():
            told = f"{progress.done} of {progress.segments} segments, {progress.messages:,} messages"
            print(f"\r{told}", end="", file=sys.stderr, flush=True)

    found = 0
    for finding in verify(workspace_of(args), show):
        found += 1
        where = f"segment {finding.segment}" if finding.segment else "catalogue"
        print(f"{where}: {finding.code}: {finding.detail}")
    if not found:
        print(f"everything fits: {last.segments} segments, {last.messages} messages")
    return 1 if found else 0
