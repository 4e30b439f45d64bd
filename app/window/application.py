"""The QApplication, made the same way for every window process."""

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.version import VERSION
from app.window.language import install_language


def make_application(language: str | None = None) -> QApplication:
    """Environment variables of Qt must be set before this."""
    app = QApplication(["murmurscope"])
    app.setApplicationName("murmurscope")
    app.setApplicationDisplayName("Murmurscope")
    app.setApplicationVersion(VERSION)
    QGuiApplication.setDesktopFileName("murmurscope")
    install_language(app, language)
    return app
