"""`python -m app`, and the packaged program: the window, or one of the commands.

An older Python must be able to read this file down to the guard.
"""

import sys

OLDEST_PYTHON = (3, 11)


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    if sys.version_info < OLDEST_PYTHON:
        print("Murmurscope needs Python 3.11 or newer; this is", sys.version.split()[0], file=sys.stderr)
        return 3
    from app.cli.main import guarded
    from app.cli.main import run as run_command
    from app.cli.parser import parse, shows_a_window

    def run() -> int:
        args = parse(sys.argv[1:])
        if shows_a_window(args):
            from app.window.main import run as run_window

            return int(run_window(args))
        return run_command(args)

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
