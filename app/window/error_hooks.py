"""Mistakes of our own: written to the log with their traceback, counted, told by a badge; the window lives on."""

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

from app.window.gui_inbox import GuiInbox

log = logging.getLogger("window")
_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_NO_NEWS = "This plugin does not support "  # platforms without a window manager say so at every window


class _Tracebacks(logging.Handler):
    """Calls for every record that carries a traceback, whoever caught the exception. Any thread."""

    def __init__(self, found: Callable[[], None]) -> None:
        super().__init__(logging.ERROR)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._found()


class ErrorHooks(QObject):
    """Takes over the hooks for uncaught exceptions of all threads and for Qt's messages, and listens to the log.
    `faulted(count)`: GUI thread."""

    faulted = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._inbox = GuiInbox(self)
        self._count = 0
        self._tracebacks = _Tracebacks(lambda: self._inbox.put(self._tell))

    @property
    def count(self) -> int:
        """Mistakes so far."""
        return self._count

    def install(self) -> None:
        """From now on nothing is lost on a stderr that nobody reads."""
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread
        sys.unraisablehook = self._unraisable
        qInstallMessageHandler(self._qt_message)
        logging.getLogger().addHandler(self._tracebacks)

    def uninstall(self) -> None:
        """Give the hooks back, as the last thing before the program ends."""
        sys.excepthook, sys.unraisablehook = sys.__excepthook__, sys.__unraisablehook__
        threading.excepthook = threading.__excepthook__
        qInstallMessageHandler(None)
        logging.getLogger().removeHandler(self._tracebacks)
        self._inbox.close()

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.error("uncaught", exc_info=(kind, error, trace))

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_type is SystemExit:
            return
        name = args.thread.name if args.thread is not None else "?"
        error = args.exc_value or args.exc_type()
        log.error("uncaught in thread %s", name, exc_info=(args.exc_type, error, args.exc_traceback))

    def _unraisable(self, args: "sys.UnraisableHookArgs") -> None:
        error = args.exc_value or args.exc_type()
        log.error(
            "%s %r", args.err_msg or "unraisable", args.object, exc_info=(args.exc_type, error, args.exc_traceback)
        )

    def _qt_message(self, kind: QtMsgType, _context: QMessageLogContext, text: str | None) -> None:
        if text is not None and text.startswith(_NO_NEWS):
            return
        log.log(_QT_LEVELS.get(kind, logging.WARNING), "Qt: %s", text)

    def _tell(self) -> None:
        self._count += 1
        self.faulted.emit(self._count)
