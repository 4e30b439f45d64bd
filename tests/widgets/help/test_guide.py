import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QGuiApplication, QImage, QTextDocument
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from models.domain.resources import resource_path
from widgets.common.theme import ThemeHolder
from widgets.help.guide_browser import COLUMN, GuideBrowser, slug
from widgets.help.guide_window import GuideWindow

GUIDE = resource_path("guide")
IMAGE = QTextDocument.ResourceType.ImageResource.value


@pytest.fixture
def theme(qapp: QApplication) -> ThemeHolder:
    return ThemeHolder(qapp, "light")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.md").write_text("# Not for the guide\n")
    made = tmp_path / "guide"
    made.mkdir()
    (made / "guide.md").write_text(
        "# The guide\n\n![fleet](fleet-light.png)\n\n## One\n\nSee [two](two.md), [its end](two.md#the-end-of-it), "
        "[the web](https://broker.example/x) and [another file](../secret.md).\n\n## Two & more\n\n" + "text\n\n" * 200
    )
    (made / "two.md").write_text("# Page two\n\n" + "words\n\n" * 200 + "## The end, of it\n\nneedle here\n")
    for shade in ("light", "dark"):
        image = QImage(2 * COLUMN, 100, QImage.Format.Format_RGB32)
        image.fill(QColor("white" if shade == "light" else "black"))
        image.save(str(made / f"fleet-{shade}.png"))
    return made


@pytest.fixture
def guide(folder: Path, theme: ThemeHolder, qtbot: QtBot) -> GuideWindow:
    window = GuideWindow(folder, theme)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


def shown(guide: GuideWindow) -> str:
    return guide.browser.source().fileName()


def test_pages_and_headings_stand_at_the_left(guide: GuideWindow) -> None:
    tree = guide.contents
    assert [tree.topLevelItem(place).text(0) for place in range(tree.topLevelItemCount())] == ["The guide", "Page two"]
    first = tree.topLevelItem(0)
    assert [first.child(place).text(0) for place in range(first.childCount())] == ["One", "Two & more"]
    tree.itemClicked.emit(first.child(1), 0)
    assert guide.browser.textCursor().block().text() == "Two & more"
    tree.itemActivated.emit(tree.topLevelItem(1), 0)
    assert shown(guide) == "two.md"


def test_links_between_pages_work_and_lead_back(guide: GuideWindow) -> None:
    guide.browser.anchorClicked.emit(QUrl("two.md"))
    assert shown(guide) == "two.md"
    guide.browser.backward()
    assert shown(guide) == "guide.md"
    guide.browser.anchorClicked.emit(QUrl("two.md#the-end-of-it"))
    assert guide.browser.textCursor().block().text() == "The end, of it"
    assert guide.browser.verticalScrollBar().value() > 0


@pytest.mark.parametrize(
    "link", ["https://broker.example/x", "../secret.md", "gone.md", "file:///etc/passwd", "two.png"]
)
def test_nothing_else_opens_by_itself(guide: GuideWindow, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    guide.browser.anchorClicked.emit(QUrl(link))
    assert shown(guide) == "guide.md"
    assert opened == []
    buttons = {button.text(): button for button in guide.findChildren(QPushButton) if button.isVisible()}
    buttons["&Copy address"].click()
    assert link.rsplit("/", 1)[-1] in QGuiApplication.clipboard().text()
    buttons["&Open in the browser"].click()
    assert len(opened) == 1, "only when somebody says so"


def test_pictures_follow_the_theme_and_fit_the_column(guide: GuideWindow, theme: ThemeHolder) -> None:
    for choice, colour in (("light", "#ffffff"), ("dark", "#000000")):
        theme.choose(choice)
        image = guide.browser.loadResource(IMAGE, QUrl("fleet-light.png"))
        assert image.pixelColor(5, 5).name() == colour
        assert image.width() / image.devicePixelRatio() == COLUMN
    assert guide.browser.loadResource(IMAGE, QUrl("https://broker.example/x.png")) is None
    assert guide.browser.loadResource(IMAGE, QUrl("../secret.md")) is None


def test_find_goes_on_from_the_top_and_says_when_there_is_nothing(guide: GuideWindow, qtbot: QtBot) -> None:
    guide.browser.show_page("two.md")
    guide.find_line.setText("needle")
    assert guide.browser.textCursor().selectedText() == "needle"
    place = guide.browser.textCursor().position()
    qtbot.keyClick(guide.find_line, Qt.Key.Key_Return)
    assert guide.browser.textCursor().position() == place
    guide.find_line.setText("haystack")
    assert guide.find_line.property("state") == "error"
    guide._escape()
    assert guide.find_line.text() == ""
    guide._escape()
    assert guide.isHidden()


# ------------------------------------------------------------ the guide we ship


@pytest.mark.parametrize("page", sorted(path.name for path in GUIDE.glob("*.md")))
def test_every_link_and_picture_of_the_guide_is_there(page: str, theme: ThemeHolder, qtbot: QtBot) -> None:
    browser = GuideBrowser(GUIDE, theme)
    qtbot.addWidget(browser)
    text = (GUIDE / page).read_text(encoding="utf-8")
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+://|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        if not (GUIDE / (name or page)).is_file() or "/" in name:
            broken.append(target)
        elif anchor:
            browser.show_page(name or page)
            if anchor not in {slug(heading) for _, heading in browser.headings()}:
                broken.append(target)
    assert broken == []
