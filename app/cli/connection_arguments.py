"""Options that every command that connects to a broker shares, and what they mean. A password never comes by argument."""

import argparse
import dataclasses
import os
import sys
from pathlib import Path

from app.own_process import PASSWORD_VARIABLE
from app.password_store import PasswordStore
from models.domain.connection import Connection, Secret, parse_url
from models.domain.problems import EnvironmentProblem, fill, trouble


def add_connection_arguments(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add `--broker` and what belongs to it."""
    group = parser.add_argument_group("broker")
    group.add_argument(
        "--broker",
        metavar="URL",
        required=required,
        help="mqtt://user@host:port, or mqtts://, ws://, wss://",
    )
    group.add_argument(
        "--password-file",
        metavar="FILE",
        help=f"holds the password; else {PASSWORD_VARIABLE} in the environment, else the keyring",
    )
    group.add_argument("--cafile", metavar="FILE", help="authority that signed the broker's certificate (PEM)")
    group.add_argument("--cert", metavar="FILE", help="our certificate (PEM)")
    group.add_argument("--key", metavar="FILE", help="key of our certificate (PEM)")


def connection_from(args: argparse.Namespace, *, keyring: bool = True) -> tuple[Connection, Secret | None] | None:
    """What the arguments say; None without `--broker`.

    The password comes from the file, else the environment, else the address (with a warning), else the keyring. Raises `EnvironmentProblem`
    "broker.url", "broker.tls-file" or "file.unusable".
    """
    secret = secret_from(args)
    if args.broker is None:
        return None
    connection, in_url = parse_url(args.broker)
    if in_url is not None:
        print(
            "murmurscope: everybody on this computer can read a password in an address: "
            f"use --password-file or {PASSWORD_VARIABLE}",
            file=sys.stderr,
        )
    connection = dataclasses.replace(
        connection,
        ca_file=_tls_file(args.cafile),
        certificate_file=_tls_file(args.cert),
        key_file=_tls_file(args.key),
    )
    secret = secret or in_url
    if secret is None and keyring and connection.user:
        secret = _kept(connection)
    return connection, secret


def secret_from(args: argparse.Namespace) -> Secret | None:
    """The password that the file or the environment holds. Raises `EnvironmentProblem` "file.unusable"."""
    if args.password_file is None:
        value = os.environ.get(PASSWORD_VARIABLE)
        return Secret(value) if value else None
    try:
        text = Path(args.password_file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        detail = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        raise trouble("file.unusable", path=args.password_file, detail=detail) from error
    return Secret(text.rstrip("\r\n"))


def _kept(connection: Connection) -> Secret | None:
    try:
        return PasswordStore().get(connection.url)
    except EnvironmentProblem as error:
        if error.problem.code != "keyring.none":
            print(f"murmurscope: {fill(error.problem.kind.sentence, error.problem.params)}", file=sys.stderr)
        return None


def _tls_file(name: str | None) -> str:
    if name is None:
        return ""
    path = Path(name).expanduser().resolve()
    try:
        path.open("rb").close()
    except OSError as error:
        raise trouble("broker.tls-file", file=str(path), detail=error.strerror or "it cannot be opened") from error
    return str(path)
