"""What to do where a program that a test needs is not installed."""

import os
import shutil
from typing import NoReturn

import pytest

SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/usr/bin"])


def services_required() -> bool:
    """Is a missing service a failure (continuous integration) and not a reason to skip?"""
    return os.environ.get("CI", "").lower() == "true" or os.environ.get("MURMURSCOPE_REQUIRE_SERVICES") == "1"


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it where services are required."""
    text = f"{what} is not installed; 'bash packaging/dev.sh test' installs it"
    if services_required():
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


def program(name: str) -> str:
    """The path of a program; an ordinary user's PATH lacks /usr/sbin, where Debian keeps Mosquitto."""
    return shutil.which(name, path=SYSTEM_PATH) or missing(name)


def bound_to_parent(argv: list[str]) -> list[str]:
    """The command line, made to die with the thread that starts it: a killed test run leaves nothing behind."""
    setpriv = shutil.which("setpriv", path=SYSTEM_PATH)
    return [setpriv, "--pdeathsig", "KILL", *argv] if setpriv else argv
