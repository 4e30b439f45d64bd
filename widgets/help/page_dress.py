"""How a page of the guide looks: room between its parts, quiet tables, code on a ground of its own."""

from PySide6.QtGui import QBrush, QColor, QTextBlockFormat, QTextCursor, QTextDocument, QTextFrameFormat, QTextTable

from widgets.common.theme import Theme

_LINE_HEIGHT = 128
_HEADING_ABOVE, _HEADING_BELOW, _PARAGRAPH_BELOW, _CELL = 20, 6, 9, 6


def dress(document: QTextDocument, theme: Theme) -> None:
    """Lay out a page that was just read. `theme`: its colours."""
    tables = [one for one in document.rootFrame().childFrames() if isinstance(one, QTextTable)]
    for table in tables:
        quiet = table.format()
        quiet.setBorderBrush(QBrush(QColor(theme.line)))
        quiet.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        quiet.setBorderCollapse(True)
        quiet.setCellPadding(_CELL)
        quiet.setBottomMargin(_PARAGRAPH_BELOW)
        table.setFormat(quiet)
    cursor = QTextCursor(document)
    block = document.begin()
    while block.isValid():
        form = QTextBlockFormat()
        form.setLineHeight(_LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setPosition(block.position())
        code = block.blockFormat().hasProperty(QTextBlockFormat.Property.BlockCodeFence)
        if block.blockFormat().headingLevel():
            form.setTopMargin(_HEADING_ABOVE if block.blockNumber() else 0)
            form.setBottomMargin(_HEADING_BELOW)
        elif code:
            form.setBackground(QColor(theme.raised))
            form.setLineHeight(0, QTextBlockFormat.LineHeightTypes.SingleHeight.value)
        elif cursor.currentTable() is None and block.textList() is None:
            form.setBottomMargin(_PARAGRAPH_BELOW)
        cursor.mergeBlockFormat(form)
        block = block.next()


def set_sides(document: QTextDocument, pixels: int) -> None:
    """Empty space at the left and the right of the column of text."""
    frame = document.rootFrame()
    form = frame.frameFormat()
    if form.leftMargin() != pixels:
        form.setLeftMargin(pixels)
        form.setRightMargin(pixels)
        frame.setFrameFormat(form)
