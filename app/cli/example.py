"""`example`: prints the file that agents copy."""

import argparse

EPILOG = """\
example:
  murmurscope example python > murmur_agent.py     one file, needs only paho-mqtt
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `example`."""
    parser.epilog = EPILOG
    parser.add_argument("language", choices=("python", "node"))


def run(args: argparse.Namespace) -> int:
    """Print the library. Raises `EnvironmentProblem` "not-built" for a language that has none yet."""
    from models.domain.problems import trouble
    from models.domain.resources import resource_path

    if args.language != "python":
        raise trouble("not-built", command=f"example {args.language}")
    print(resource_path("..", "mqtt", "agent.py").read_text(encoding="utf-8"), end="")
    return 0
