"""What differs between two records."""

from PySide6.QtGui import QGuiApplication

from models.domain.records import Level
from tests.widgets.conftest import Desk
from tests.widgets.fakes import log_line
from widgets.records.comparison import Compared, Difference, compare, payload_pairs
from widgets.records.comparison_dialog import log_comparison

SAME, OTHER, CAME, WENT = Difference.SAME, Difference.OTHER, Difference.CAME, Difference.WENT


def test_json_is_compared_value_by_value_whatever_the_order() -> None:
    before = payload_pairs(b'{"state":"idle","load":{"cpu":1,"ram":2},"old":true}')
    after = payload_pairs(b'{"load":{"ram":2,"cpu":3},"state":"idle","new":[1]}')
    assert compare(before, after) == [
        Compared("load.ram", "2", "2", SAME), Compared("load.cpu", "1", "3", OTHER), Compared("state", "idle", "idle", SAME),
        Compared("new[0]", "", "1", CAME), Compared("old", "true", "", WENT),
    ]  # fmt: skip


def test_text_is_compared_by_lines_and_bytes_by_sixteen() -> None:
    found = compare(payload_pairs(b"a\nb\nc"), payload_pairs(b"a\nx\nc\nd"))
    assert [(one.before, one.after, one.difference) for one in found] == [
        ("a", "a", SAME), ("b", "x", OTHER), ("c", "c", SAME), ("", "d", CAME),
    ]  # fmt: skip
    assert payload_pairs(b"\xff" + bytes(16)) == [("", "ff" + " 00" * 15), ("", "00")]
    assert payload_pairs(b"5") == [("$", "5")]


def test_the_dialog_shows_what_differs_and_all(desk: Desk, qtbot: object) -> None:
    one = log_line(1, desk.now, "task 1 failed", Level.ERROR, attributes='{"step":1,"host":"a"}', stack="at a\nat b")
    other = log_line(2, desk.now, "task 2 failed", Level.ERROR, attributes='{"step":2,"host":"a"}', stack="at a\nat c")
    dialog = log_comparison(desk.theme, (one, "crawler"), (other, "crawler"), None)
    qtbot.addWidget(dialog)
    assert dialog.told.text() == "3 of 8 differ"
    assert dialog.only.isChecked()
    cells = [[dialog.model.index(row, column).data() for column in range(4)] for row in range(dialog.model.rowCount())]
    assert cells == [
        ["≠", "Text", "task 1 failed", "task 2 failed"], ["≠", "step", "1", "2"], ["≠", "", "at b", "at c"],
    ]  # fmt: skip
    dialog.only.setChecked(False)
    assert dialog.model.rowCount() == 8
    dialog._copy()
    assert "step\t1\t2\t≠" in QGuiApplication.clipboard().text().splitlines()
