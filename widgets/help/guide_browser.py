"""Shows a page of our own guide: pictures that fit the theme and the column, headings to jump to. Nothing is fetched."""

import re
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QImage, QResizeEvent, QTextBlock, QTextCursor, QTextDocument
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from widgets.common.theme import ThemeHolder
from widgets.help.page_dress import dress, set_sides

COLUMN = 860
"""Pixels of the column of text; wider lines are hard to read."""
_EDGE = 24
_NOT_IN_SLUGS = re.compile(r"[^\w\s-]")


class GuideBrowser(QTextBrowser):
    """Opens only pages of its folder; everything else is told by `left` and not followed."""

    left = Signal(QUrl)
    """A link that leads out of the guide was chosen."""

    def __init__(self, folder: Path, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder, self._theme = folder.resolve(), theme
        self.setAccessibleName(self.tr("Page of the guide"))
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.anchorClicked.connect(self.follow)
        self.sourceChanged.connect(self._page_read)
        theme.changed.connect(self._draw_again)

    @Slot()
    def _draw_again(self) -> None:
        self.reload()
        self._page_read()

    def pages(self) -> list[tuple[str, str]]:
        """File and title of every page, the guide itself first."""
        files = sorted(self._folder.glob("*.md"), key=lambda path: (path.name != "guide.md", path.name))
        return [(path.name, _title(path)) for path in files]

    def show_page(self, name: str, anchor: str = "") -> None:
        """One of `pages`."""
        url = QUrl.fromLocalFile(str(self._folder / name))
        if self.source() != url:
            self.setSource(url, QTextDocument.ResourceType.MarkdownResource)
        if anchor:
            self.show_heading(anchor)

    def headings(self) -> list[tuple[int, str]]:
        """Level and text of the headings of the page."""
        return [(block.blockFormat().headingLevel(), block.text()) for block in self._heading_blocks()]

    def show_heading(self, text: str) -> None:
        """Scroll to a heading, named by its text or its anchor."""
        for block in self._heading_blocks():
            if text in (block.text(), slug(block.text())):
                self.moveCursor(QTextCursor.MoveOperation.End)  # so that the heading comes to the top
                self.setTextCursor(QTextCursor(block))
                self.ensureCursorVisible()
                return

    def follow(self, url: QUrl) -> None:
        """Go where a link leads, within the guide."""
        target = self.source().resolved(url)
        inside = target.isLocalFile() and Path(target.toLocalFile()).parent == self._folder
        if inside and target.toLocalFile().endswith(".md") and Path(target.toLocalFile()).is_file():
            self.show_page(Path(target.toLocalFile()).name, target.fragment())
        else:
            self.left.emit(target)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Qt asks for pages and pictures: only those of the folder."""
        path = Path(self.source().resolved(QUrl(name)).toLocalFile())
        if path.parent != self._folder or not path.is_file():
            return None
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return path.read_text(encoding="utf-8")
        dark = path.with_name(path.name.replace("-light.", "-dark."))
        image = QImage(str(dark if self._theme.theme.dark and dark.is_file() else path))
        scale = self.devicePixelRatioF()
        if image.width() > COLUMN * scale:
            size = QSize(round(COLUMN * scale), round(image.height() * COLUMN * scale / image.width()))
            image = image.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
        image.setDevicePixelRatio(scale)
        return image

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        set_sides(self.document(), max(_EDGE, (self.viewport().width() - COLUMN) // 2))

    @Slot()
    def _page_read(self) -> None:
        dress(self.document(), self._theme.theme)
        self._fit()

    def _heading_blocks(self) -> list[QTextBlock]:
        found, block = [], self.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel():
                found.append(block)
            block = block.next()
        return found


def slug(heading: str) -> str:
    """The anchor of a heading, as places that show such files write it."""
    return _NOT_IN_SLUGS.sub("", heading.strip().lower()).replace(" ", "-")


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        first = next(lines, "")
    return first.lstrip("# ").strip() or path.stem
