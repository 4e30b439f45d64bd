"""Runs one command and turns what can go wrong into a sentence and an exit code."""

import argparse
import os
import sys
from collections.abc import Callable

from app.cli.parser import module_of
from app.cli.telling import Teller, is_told
from models.domain.problems import EnvironmentProblem, ExitCode


def run(args: argparse.Namespace) -> int:
    """Run the command that was parsed."""
    try:
        return module_of(args.command).run(args)
    except EnvironmentProblem as error:
        if not is_told(args):
            raise
        Teller().problem(error.problem)
        return error.problem.kind.exit_code


def guarded(command: Callable[[], int]) -> int:
    """Exit code of a command. A problem is told as one sentence on stderr; a mistake of our own keeps its traceback."""
    try:
        return command()
    except EnvironmentProblem as error:
        print(f"murmurscope: {error}", file=sys.stderr)
        return error.problem.kind.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
