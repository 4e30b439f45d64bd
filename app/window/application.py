"""The QApplication, made the same way for every window process."""

from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from app.version import VERSION
from app.window.language import install_language
from models.domain.resources import resource_path

DESKTOP_ID = "io.github.murmurscope.Murmurscope"
"""Name of the desktop file, by which Wayland finds the window's icon."""


def make_application(language: str | None = None) -> QApplication:
    """Environment variables of Qt must be set before this."""
    app = QApplication(["murmurscope"])
    app.setApplicationName("murmurscope")
    app.setApplicationDisplayName("Murmurscope")
    app.setApplicationVersion(VERSION)
    QGuiApplication.setDesktopFileName(DESKTOP_ID)
    app.setWindowIcon(QIcon(str(resource_path("icons", "fixed", "murmurscope.svg"))))
    install_language(app, language)
    return app
