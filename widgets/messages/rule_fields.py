"""The fields of a mapping rule: which of them a meaning has, what is proposed for each, and what is wrong with one."""

from collections.abc import Sequence
from contextlib import suppress

from PySide6.QtCore import QCoreApplication, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from models.domain.json_path import number_in, path_text
from models.domain.rules import Meaning, Rule, RuleError, SameAgent, rule_of
from widgets.common.actions import plain_title
from widgets.common.plain import tooltip_text, visible
from widgets.frame.tool_buttons import restyle
from widgets.messages.payload_places import Place

SAME = "same"
_KEYS = {
    Meaning.NUMBER: ("topic", "path", "agent", "metric", "unit", "scale", "kind", "time"),
    Meaning.AGENT: ("topic", "agent"),
    Meaning.LOG: ("topic", "path", "agent", "level", "logger", "time"),
    Meaning.STATUS: ("topic", "path", "agent", "online"),
    Meaning.IGNORE: ("topic",),
    SAME: ("name", "same"),
}
_UNITS = ("%", "°C", "ms", "s", "B", "kB", "MB", "GiB", "W", "kWh", "V", "A", "Hz", "req/s")
_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
_VALUE_LIMIT = 60

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class RuleField(QWidget):
    """A line, or a line with a list of what is proposed; below it, what is wrong with it."""

    typed = Signal()
    """Somebody wrote in it, or chose from its list."""
    changed = Signal()

    def __init__(self, name: str, *, choice: bool = False, hint: str = "", tip: str = "") -> None:
        super().__init__()
        self.box = QComboBox(editable=True) if choice else None
        self.line = QLineEdit()
        if self.box is not None:
            self.box.setLineEdit(self.line)
            self.box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            self.box.setCompleter(None)  # type: ignore[arg-type] # it would write on in a pattern
            self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            self.box.activated.connect(self.typed)
        self.editor: QWidget = self.box or self.line
        for widget in {self.editor, self.line}:
            widget.setAccessibleName(plain_title(name))
            widget.setToolTip(tip)
        self.line.setPlaceholderText(hint)
        self.error = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.error.setProperty("tone", "error")
        self.error.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.editor)
        column.addWidget(self.error)
        self.setFocusProxy(self.editor)
        self.line.textChanged.connect(self.changed)
        self.line.textEdited.connect(self.typed)

    @property
    def text(self) -> str:
        return self.line.text().strip()

    def show_text(self, text: str) -> None:
        """Put it in, as a proposal."""
        self.line.setText(text)
        self.line.setCursorPosition(0)

    def offer(self, texts: Sequence[str], tips: Sequence[str] = ()) -> None:
        """What the list proposes; what is written stays."""
        assert self.box is not None
        text = self.line.text()
        with QSignalBlocker(self.box), QSignalBlocker(self.line):
            self.box.clear()
            self.box.addItems([visible(one) for one in texts])
            for row, tip in enumerate(tips):
                self.box.setItemData(row, tooltip_text(tip), Qt.ItemDataRole.ToolTipRole)
            self.box.setCurrentIndex(-1)
            self.line.setText(text)

    def show_error(self, sentence: str) -> None:
        """Empty: nothing is wrong."""
        self.error.setText(sentence)
        self.error.setVisible(bool(sentence))
        self.line.setAccessibleDescription(sentence)
        restyle(self.line, state="error" if sentence else "")


class RuleFields(QWidget):
    """What was written by hand is kept when something else is proposed. GUI thread."""

    changed = Signal()
    meaning_chosen = Signal()
    place_chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._by_hand: set[str] = set()
        self._showing = False
        self.meaning = QComboBox()
        self.meaning.setAccessibleName(self.tr("What it is"))
        self.meaning.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for data, text in (
            (Meaning.NUMBER, self.tr("This number is …")),
            (Meaning.AGENT, self.tr("These messages are of the agent …")),
            (Meaning.LOG, self.tr("Each message is a log record")),
            (Meaning.STATUS, self.tr("It says whether the agent is there")),
            (SAME, self.tr("It is the same agent as …")),
            (Meaning.IGNORE, self.tr("Nothing is to be read from it")),
        ):
            self.meaning.addItem(text, str(data))
        self.fields = self._made()
        self.kind = QComboBox()
        self.kind.setAccessibleName(self.tr("Kind"))
        for text, data in (
            (self.tr("as its name tells"), ""),
            (self.tr("a value that rises and falls"), "gauge"),
            (self.tr("a counter, which only rises"), "counter"),
        ):
            self.kind.addItem(text, data)
        self._lay_out()
        self.meaning.activated.connect(self._meaning_chosen)
        self.kind.currentIndexChanged.connect(self._changed)
        self.kind.activated.connect(lambda: self._by_hand.add("kind"))
        for key, field in self.fields.items():
            field.changed.connect(self._changed)
            field.typed.connect(lambda key=key: self._by_hand.add(key))
        box = self.fields["path"].box
        assert box is not None
        box.activated.connect(self.place_chosen)
        self._show_rows()

    def _made(self) -> dict[str, RuleField]:
        tr = self.tr
        place = tr("Such as metrics.cpu or items[0].name; empty: the payload itself")
        text = tr("A text, {a level} of the topic, or $.a.place in the payload")
        self._labels = {
            "topic": tr("To&pic"), "path": tr("Pla&ce"), "agent": tr("&Agent"), "metric": tr("&Metric"), "unit": tr("&Unit"),
            "scale": tr("T&imes"), "kind": tr("&Kind"), "time": tr("Ti&me"), "level": tr("Le&vel"), "logger": tr("&Logger"),
            "online": tr("&Online when"), "name": tr("Its &name here"), "same": tr("Is the a&gent"),
        }  # fmt: skip
        names = {key: plain_title(label) for key, label in self._labels.items()}
        fields = {
            "topic": RuleField(names["topic"], tip=tr("{name} names a level, + is any level, # at the end whatever is below")),
            "path": RuleField(names["path"], choice=True, hint=tr("the payload itself"), tip=place),
            "agent": RuleField(names["agent"], choice=True, hint=tr("as without this rule"), tip=text),
            "metric": RuleField(names["metric"], hint=tr("the name of its place"), tip=text),
            "unit": RuleField(names["unit"], choice=True, hint=tr("none, or as its name tells"), tip=tr("That of the payload")),
            "scale": RuleField(names["scale"], hint="1", tip=tr("What the number is multiplied by, such as 0.1")),
            "time": RuleField(names["time"], choice=True, hint=tr("its usual keys, else the arrival"), tip=place),
            "level": RuleField(names["level"], choice=True, hint=tr("as the record says"), tip=text),
            "logger": RuleField(names["logger"], choice=True, hint=tr("as the record says"), tip=text),
            "online": RuleField(names["online"], hint=tr("online, up, true, 1 …"),
                                tip=tr("Words, with commas between; every other word means offline")),
            "name": RuleField(names["name"]),
            "same": RuleField(names["same"], choice=True),
        }  # fmt: skip
        fields["unit"].offer(_UNITS)
        return fields

    def _lay_out(self) -> None:
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignTop)
        self._form.addRow(self.tr("&What it is"), self.meaning)
        self._rows: dict[str, QWidget] = {}
        for key, label in self._labels.items():
            self._rows[key] = self.kind if key == "kind" else self.fields[key]
            self._form.addRow(label, self._rows[key])

    # ------------------------------------------------------------ what is proposed

    @property
    def means(self) -> Meaning | None:
        """None: the same agent under another name."""
        data = str(self.meaning.currentData())
        return None if data == SAME else Meaning(data)

    def begin(self, means: Meaning | None) -> None:
        """Another message: nothing of it was written by hand yet."""
        self._by_hand.clear()
        self._offer_meanings(rules=True, same=True)
        self._showing = True
        self.meaning.setCurrentIndex(self.meaning.findData(str(means or SAME)))
        self.kind.setCurrentIndex(0)
        for key in self.fields:
            self._put(key, "")
        self._showing = False
        self._show_rows()

    def _offer_meanings(self, *, rules: bool, same: bool) -> None:
        model = self.meaning.model()
        assert isinstance(model, QStandardItemModel)
        for row in range(model.rowCount()):
            model.item(row).setEnabled(same if self.meaning.itemData(row) == SAME else rules)

    def propose(self, said: Rule | SameAgent) -> None:
        """Fill in what was not written by hand, then tell of all of it at once."""
        self._showing = True
        if isinstance(said, SameAgent):
            self._put("name", said.name)
            self._put("same", said.agent)
        else:
            for key in self.fields:
                if key not in ("name", "same"):
                    value = getattr(said, key)
                    self._put(key, "" if value in ("", 1.0) else str(value))
            if "kind" not in self._by_hand:
                self.kind.setCurrentIndex(self.kind.findData(said.kind))
        self._showing = False
        self.changed.emit()

    def take(self, said: Rule | SameAgent) -> None:
        """One that is changed: what it says counts as written by hand, and it stays what it is, a rule or a name."""
        self.begin(said.means if isinstance(said, Rule) else None)
        self._offer_meanings(rules=isinstance(said, Rule), same=isinstance(said, SameAgent))
        self.propose(said)
        self._by_hand = {key for key, field in self.fields.items() if field.text} | {"kind"}

    def offer(self, places: Sequence[Place], levels: Sequence[str]) -> None:
        """The places of the message at hand, those with a number first, and the named levels of the topic."""
        ordered = sorted(places, key=lambda one: number_in(one.value) is None)
        tips = [visible(str(one.value), _VALUE_LIMIT) for one in ordered]
        paths = [path_text(one.path) for one in ordered]
        for key in ("path", "time"):
            self.fields[key].offer(paths, tips)
        texts = [f"{{{one}}}" for one in levels]
        named = [f"$.{path}" if path[:1] not in ("[", "$") else f"${path.removeprefix('$')}" for path in paths]
        for key in ("agent", "logger"):
            self.fields[key].offer([*texts, *named], [*texts, *tips])
        self.fields["level"].offer([*_LEVELS, *named], [*_LEVELS, *tips])

    def offer_agents(self, names: Sequence[str]) -> None:
        """Whom another name may stand for."""
        self.fields["same"].offer(names)

    def _put(self, key: str, text: str) -> None:
        if key not in self._by_hand:
            self.fields[key].show_text(text)

    # ------------------------------------------------------------ what is said

    def said(self) -> Rule | SameAgent | None:
        """What the fields say; None where that makes no sense, which is told below the field that is wrong."""
        for field in self.fields.values():
            field.show_error("")
        if self.means is None:
            return self._same()
        try:
            return rule_of(self._values(self.means))
        except RuleError as error:
            word = str(error).partition(" ")[0].rstrip(":")  # most sentences begin with the key
            self.fields[word if word in _KEYS[self.means] and word in self.fields else "topic"].show_error(str(error))
            return None

    def _same(self) -> SameAgent | None:
        name, agent = self.fields["name"], self.fields["same"]
        if not name.text:
            name.show_error(self.tr("Write the name that messages call it by."))
        elif not agent.text:
            agent.show_error(self.tr("Choose the agent that it is."))
        elif name.text == agent.text:
            agent.show_error(self.tr("That is the same name."))
        else:
            return SameAgent(name.text, agent.text)
        return None

    def _values(self, means: Meaning) -> dict[str, object]:
        values: dict[str, object] = {key: self.fields[key].text for key in _KEYS[means] if key in self.fields}
        values["means"] = str(means)
        if means is Meaning.NUMBER:
            values["kind"] = str(self.kind.currentData())
            scale = str(values["scale"])
            with suppress(ValueError):  # what is none, `rule_of` tells
                values["scale"] = float(scale or 1)
        return values

    # ------------------------------------------------------------ inner

    @Slot()
    def _changed(self) -> None:
        if not self._showing:
            self.changed.emit()

    @Slot()
    def _meaning_chosen(self) -> None:
        self._show_rows()
        self.meaning_chosen.emit()

    def _show_rows(self) -> None:
        shown = _KEYS[self.means or SAME]
        for key, row in self._rows.items():
            self._form.setRowVisible(row, key in shown)
