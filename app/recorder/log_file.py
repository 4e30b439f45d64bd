"""`recorder.log`: one JSON object a line, two files of 5 MB at most, no secret in it."""

import json
import logging
import logging.handlers
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from models.domain.connection import Secret

FILE_BYTES = 5_000_000
MASK = "***"
_LOG = logging.getLogger(__name__)


class SecretMask(logging.Filter):
    """Replaces known secrets in everything that is logged. Any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._secrets: tuple[str, ...] = ()

    def hide(self, secret: Secret | None) -> None:
        """From now on; the empty secret hides nothing."""
        if secret is not None and secret.value and secret.value not in self._secrets:
            self._secrets = (*self._secrets, secret.value)

    def masked(self, text: str) -> str:
        for one in self._secrets:
            text = text.replace(one, MASK)
        return text


class _JsonLines(logging.Formatter):
    def __init__(self, mask: SecretMask) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "text": self._mask.masked(record.getMessage()),
        }
        if record.exc_info:
            entry["error"] = self._mask.masked(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def log_to_file(path: Path) -> tuple[logging.Handler, SecretMask]:
    """Send everything of level info and above to the file; the caller closes the handler. Raises `OSError`."""
    mask = SecretMask()
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=FILE_BYTES, backupCount=1, encoding="utf-8", delay=False
    )
    handler.setFormatter(_JsonLines(mask))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler, mask


_COUNTED = {"counted": True}


class Faults(logging.Handler):
    """Counts mistakes of our own: what nobody caught, and what any module logged with its traceback. Any thread."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._counting = threading.Lock()
        self.count = 0

    def note(self, what: str) -> None:
        """Call while handling the exception."""
        with self._counting:
            self.count += 1
        _LOG.exception(what, extra=_COUNTED)

    def tell(self, what: str) -> None:
        """A mistake that was noticed by its effect, without an exception at hand."""
        with self._counting:
            self.count += 1
        _LOG.critical("%s", what)

    def emit(self, record: logging.LogRecord) -> None:
        """Called by the logging module."""
        if record.exc_info and not hasattr(record, "counted"):
            with self._counting:
                self.count += 1

    def catch_all(self) -> Callable[[], None]:
        """Take over the hooks of the interpreter, and listen to the log; returns what puts all back."""
        before = threading.excepthook, sys.excepthook

        def in_thread(args: threading.ExceptHookArgs) -> None:
            if args.exc_value is not None:
                self._uncaught(args.exc_type, args.exc_value, args.exc_traceback)

        def restore() -> None:
            threading.excepthook, sys.excepthook = before
            logging.getLogger().removeHandler(self)

        threading.excepthook = in_thread
        sys.excepthook = self._uncaught
        logging.getLogger().addHandler(self)
        return restore

    def _uncaught(self, kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        with self._counting:
            self.count += 1
        _LOG.error("nobody caught this", exc_info=(kind, value, trace), extra=_COUNTED)
