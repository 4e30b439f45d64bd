"""`example`: prints the file that agents copy."""

import argparse

EPILOG = """\
examples:
  murmurscope example python > agent.py     one file, needs only paho-mqtt (pip install paho-mqtt)
  murmurscope example node > agent.js       one file, needs mqtt and winston (npm install mqtt winston)
"""
_FILES = {"python": ("..", "mqtt", "agent.py"), "node": ("examples", "node", "agent.js")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `example`."""
    parser.epilog = EPILOG
    parser.add_argument("language", choices=tuple(_FILES))


def run(args: argparse.Namespace) -> int:
    """Print the file."""
    from models.domain.resources import resource_path

    print(resource_path(*_FILES[args.language]).read_text(encoding="utf-8"), end="")
    return 0
