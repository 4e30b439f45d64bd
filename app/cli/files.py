"""`--files` of `record`, and the hidden command `write-files` that the recorder starts for it."""

import argparse
from pathlib import Path

from app.cli.workspace_argument import workspace_of
from app.files.options import FORMATS, FilesOptions


def add_files_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--files` and what belongs to it."""
    plain = FilesOptions(Path("/"))
    group = parser.add_argument_group("files")
    group.add_argument("--files", metavar="DIR", help="write what is recorded also to files by day and size in DIR")
    group.add_argument(
        "--files-format", choices=FORMATS, default=plain.format, help="how they are written (default: %(default)s)"
    )
    group.add_argument(
        "--files-gib", metavar="N", type=_gib, dest="files_bytes", default=plain.total_bytes,
        help="remove the oldest beyond so many GiB in all (default: 2)",
    )  # fmt: skip


def files_options(args: argparse.Namespace) -> FilesOptions | None:
    """What the arguments say; None without `--files`."""
    if args.files is None:
        return None
    return FilesOptions(Path(args.files).expanduser().absolute(), args.files_format, args.files_bytes)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `write-files`."""
    add_files_arguments(parser)
    parser.add_argument("--files-bytes", type=int)
    parser.add_argument("--since", type=int, required=True, metavar="SEGMENT")


def run(args: argparse.Namespace) -> int:
    """Write until told to end. Raises `EnvironmentProblem` "workspace.*" and "store.*"."""
    from app.files.main import write_files

    options = files_options(args)
    assert options is not None, "--files is required"
    return write_files(workspace_of(args), options, args.since)


def _gib(text: str) -> int:
    gib = float(text)
    if not 0 < gib < 1e6:
        raise argparse.ArgumentTypeError("a number of GiB over 0")
    return round(gib * 1024**3)
