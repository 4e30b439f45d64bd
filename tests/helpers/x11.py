"""A real X server with a window manager, for tests that start the program as a person would."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.helpers.needs import bound_to_parent, program
from tests.helpers.poll import until


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _start(argv: list[str], **options: object) -> subprocess.Popen[bytes]:
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(bound_to_parent(argv), **{**quiet, **options})


@contextmanager
def x_server(width: int = 1600, height: int = 1000) -> Iterator[str]:
    """Start Xvfb on a free display with openbox in it; gives the value for DISPLAY."""
    xvfb, openbox, xprop = program("Xvfb"), program("openbox"), program("xprop")
    read_end, write_end = os.pipe()
    argv = [xvfb, "-displayfd", str(write_end), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
    server = _start(argv, pass_fds=(write_end,))
    os.close(write_end)
    try:
        with os.fdopen(read_end) as answer:
            number = answer.readline().strip()  # ends with the server, so it cannot wait for ever on a dead one
        assert number, f"Xvfb did not start (exit code {server.wait(timeout=10)})"
        display = f":{number}"
        environment = {**os.environ, "DISPLAY": display}
        manager = _start([openbox, "--sm-disable"], env=environment)
        try:
            query = [xprop, "-root", "_NET_SUPPORTING_WM_CHECK"]
            until(
                lambda: b"window id" in subprocess.run(query, env=environment, capture_output=True, check=False).stdout,
                "openbox manages the display",
                slice_s=0.05,
            )
            yield display
        finally:
            _end(manager)
    finally:
        _end(server)


def x_environment(display: str) -> dict[str, str]:
    """The environment for a program on that display: this one's, with Qt on X11 and not offscreen."""
    kept = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
    return {**kept, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
