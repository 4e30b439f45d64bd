"""Where the window writes down what went wrong: one rotating file in the user's log folder."""

import logging
import logging.handlers
from pathlib import Path

import platformdirs

SIZE_BYTES = 1_000_000
KEPT_FILES = 2


def open_log() -> Path | None:
    """Send records from INFO on to `window.log`. Returns its path; None (records go to stderr) where it cannot be written."""
    path = platformdirs.user_log_path("murmurscope") / "window.log"
    handler: logging.Handler
    written: Path | None = path
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=SIZE_BYTES, backupCount=KEPT_FILES, encoding="utf-8"
        )
    except OSError:
        handler, written = logging.StreamHandler(), None
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(process)d %(threadName)s %(levelname)s %(name)s: %(message)s")
    )
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return written
