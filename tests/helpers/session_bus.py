"""A session bus with an unlocked GNOME keyring on it, for tests that keep passwords as a desktop does."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.needs import bound_to_parent, program
from tests.helpers.poll import until


@contextmanager
def keyring_on_a_bus(home: Path) -> Iterator[dict[str, str]]:
    """Gives the variables for programs that are to find it. Its files lie below `home`."""
    bus_program, daemon_program = program("dbus-daemon"), program("gnome-keyring-daemon")
    run = home / "run"
    run.mkdir(mode=0o700, parents=True)
    address = f"unix:path={run}/bus"
    variables = {
        "DBUS_SESSION_BUS_ADDRESS": address, "HOME": str(home), "XDG_DATA_HOME": str(home / "data"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring",
    }  # fmt: skip
    path = {"PATH": "/usr/bin:/bin", **variables, "XDG_RUNTIME_DIR": str(run)}
    bus = subprocess.Popen(
        bound_to_parent([bus_program, "--session", "--nofork", "--nopidfile", f"--address={address}"]),
        env=path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until((run / "bus").exists, "the session bus listens")
        daemon = subprocess.Popen(
            bound_to_parent([daemon_program, "--foreground", "--unlock", "--components=secrets"]),
            env=path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert daemon.stdin is not None
            daemon.stdin.write(b"the keyring's own password")
            daemon.stdin.close()
            asked = [program("dbus-send"), "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
                     "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]  # fmt: skip
            until(
                lambda: b"true" in subprocess.run(asked, env=path, capture_output=True, check=False).stdout,
                "the keyring is on the bus",
            )
            yield variables
        finally:
            daemon.terminate()
            daemon.wait(10)
    finally:
        bus.terminate()
        bus.wait(10)
