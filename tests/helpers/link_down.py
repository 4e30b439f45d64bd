"""A recorder whose link to the broker goes down, in a network of its own: `unshare -rn python -m tests.helpers.link_down FOLDER`.

Prints one JSON line with what it saw.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from models.domain.control import Link
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.poll import until
from tests.helpers.recording import Recording

KEEPALIVE_S = 2


def _link(state: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", state], check=True, capture_output=True)


def main(folder: Path) -> dict[str, object]:
    _link("up")
    with Mosquitto(folder / "broker", persistence=True) as broker:
        recording = Recording(folder / "workspace")
        recording.workspace.root.mkdir()
        lines = [
            "[connection]",
            f'url = "{broker.url}"',
            f"keepalive_s = {KEEPALIVE_S}",
            "[embedded]",
            "enabled = false",
        ]
        recording.workspace.settings.write_text("\n".join(lines))
        try:
            recording.start()
            _link("down")
            down_s = time.monotonic()
            lost = recording.when(lambda one: one.link is not Link.CONNECTED, "the end of the link is noticed")
            noticed_s = time.monotonic() - down_s
            tried = recording.when(
                lambda one: one.problem and one.problem["code"] == "broker.unreachable", "it tries in vain"
            )
            _link("up")
            up_s = time.monotonic()
            recording.connected()
            back_s = time.monotonic() - up_s
            until(lambda: any(row["cause"] == "not-connected" for row in recording.export("gaps")), "the gap is told")
            code = recording.stop()
        finally:
            recording.close()
    return {
        "noticed_s": noticed_s, "back_s": back_s, "lost": lost.problem, "tried": tried.problem, "exit_code": code,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
