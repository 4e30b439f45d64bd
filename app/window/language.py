"""The language of the window."""

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from models.domain.resources import resource_path


def install_language(app: QApplication, language: str | None = None) -> None:
    """Show texts in `language` ("en", "pl"), or in the desktop's; English where there is no translation. Before any widget."""
    if language is not None:
        QLocale.setDefault(QLocale(language))
    locale = QLocale()
    if locale.language() == QLocale.Language.English:
        return
    places = (
        ("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
        ("murmurscope", str(resource_path("translations"))),
    )
    for name, folder in places:
        translator = QTranslator(app)
        if translator.load(locale, name, "_", folder):
            app.installTranslator(translator)
