"""Export, import, check and reading again: what to do at the left, what is done and was done at the right."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QModelIndex, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from widgets.common.plain import tooltip_text, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.state_view import StateKind, StateStack, ViewState
from widgets.common.theme import ThemeHolder
from widgets.common.words import finding_word
from widgets.data.export_form import ExportForm
from widgets.data.job_texts import progress, title
from widgets.data.jobs import Finding, Job, JobState
from widgets.data.titled import titled
from widgets.frame.time_range import TimeRangeModel
from widgets.records.agent_names import AgentNames

_LEFT = 340
_LOOKS = {
    JobState.WAITING: ("clock", "muted"), JobState.RUNNING: ("play", "accent"), JobState.DONE: ("check", "good"),
    JobState.CANCELLED: ("close", "muted"), JobState.FAILED: ("error", "error"),
}  # fmt: skip

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class WorkView(QWidget):
    """Shows jobs as they are told by `show_jobs`; asks for them by its signals. GUI thread."""

    import_wanted = Signal()
    folder_import_wanted = Signal()
    check_wanted = Signal()
    reread_wanted = Signal()
    salvage_wanted = Signal()
    """Bring back what can still be read of damaged files."""
    cancel_wanted = Signal(int)
    """A job's number."""
    folder_wanted = Signal(str)
    """Show this file in its folder."""
    span_wanted = Signal(object, object)
    """Somebody wants to look at this time (µs)."""

    def __init__(
        self, names: AgentNames, time_range: TimeRangeModel, theme: ThemeHolder, now_us: Callable[[], int]
    ) -> None:
        """`now_us`: monotonic."""
        super().__init__()
        self._theme, self._now_us = theme, now_us
        self._jobs: Sequence[Job] = ()
        self.export = ExportForm(names, time_range)
        self.jobs: SortedTable[Job] = SortedTable(
            self.tr("What was asked for"), self._columns(), (280, 300), lambda job: job.number, (0, 1)
        )
        self.jobs.setObjectName("data-jobs")
        self.findings: SortedTable[Finding] = _finding_table()
        self.findings.setObjectName("data-findings")
        self.cancel = self._button(self.tr("&Cancel"), self._cancel)
        self.folder = self._button(self.tr("Open fol&der"), self._open_folder)
        self.copy_path = self._button(self.tr("Copy &path"), self._copy_path)
        self.salvage = self._button(self.tr("&Salvage what is left"), self.salvage_wanted.emit)
        self.salvage.setToolTip(
            self.tr("Bring back what can still be read of damaged files. They themselves stay as they are.")
        )
        self.look = self._button(self.tr("&Look at this time"), self._look)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName(self.tr("How far it is"))
        self._told = QLabel()
        self._told.setTextFormat(Qt.TextFormat.PlainText)
        self._told.setWordWrap(True)
        self._told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._stack = StateStack(self.jobs, theme)
        self._build()
        self.jobs.selectionModel().currentRowChanged.connect(self._choose)
        self.jobs.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.jobs.customContextMenuRequested.connect(self._open_menu)
        self.show_jobs(())

    def show_jobs(self, jobs: Sequence[Job]) -> None:
        """The jobs of this session, the newest first. Called again whenever one of them is further."""
        newer = bool(jobs) and (not self._jobs or jobs[0].number > self._jobs[0].number)
        self._jobs = list(jobs)
        self.jobs.show_rows(self._jobs)
        if newer:  # what was just asked for is what one wants to see
            place = next(place for place, job in enumerate(self.jobs.records.rows) if job.number == jobs[0].number)
            self.jobs.selectRow(place)
        self._show_running()
        self._choose()
        if jobs:
            self._stack.show_content()
        else:
            hint = self.tr(
                "What you export, import, check or read again in this session is listed here, with what came of it."
            )
            self._stack.show_state(ViewState(StateKind.EMPTY, self.tr("Nothing has been asked for yet"), hint))

    def show_reading(self) -> None:
        """Nothing is taken in or changed here."""
        for button in (self.start_import, self.start_folder_import, self.start_reread):
            button.setEnabled(False)

    # ------------------------------------------------------------ building

    def _button(self, text: str, pressed: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(pressed)
        return button

    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(12, 8, 16, 12)
        column.setSpacing(8)
        column.addWidget(_heading(self.tr("Export")))
        column.addWidget(self.export)
        _explain(column, self.tr("Import"), self.tr(
            "Recorded traffic, a backup, or the folder of another workspace; also by dropping it onto the window."
            " All of it is stored, or nothing; of a backup or workspace, what is not held yet."
        ))  # fmt: skip
        self.start_import = self._button(self.tr("&Import…"), self.import_wanted.emit)
        self.start_folder_import = self._button(self.tr("Import a &workspace…"), self.folder_import_wanted.emit)
        both = QHBoxLayout()
        both.addWidget(self.start_import)
        both.addWidget(self.start_folder_import)
        both.addStretch(1)
        column.addLayout(both)
        _explain(column, self.tr("Check"), self.tr(
            "Reads every stored byte and compares check sums and counts. Recording goes on."
        ))  # fmt: skip
        self.start_check = self._button(self.tr("Chec&k every file"), self.check_wanted.emit)
        column.addWidget(self.start_check, 0, Qt.AlignmentFlag.AlignLeft)
        _explain(column, self.tr("Read again"), self.tr(
            "Derives samples, logs and agents once more from the stored messages, with the mapping rules as they are now."
        ))  # fmt: skip
        self.start_reread = self._button(self.tr("&Read history again…"), self.reread_wanted.emit)
        column.addWidget(self.start_reread, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        rolled = QScrollArea(widgetResizable=True)  # a low window holds not all of it
        rolled.setFrameShape(QFrame.Shape.NoFrame)
        rolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rolled.setWidget(left)
        rolled.setFixedWidth(_LEFT)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(12, 6, 12, 6)
        buttons.setSpacing(6)
        buttons.addWidget(self._told, 1)
        for button in (self.salvage, self.look, self.folder, self.copy_path, self.cancel):
            buttons.addWidget(button)
        above = QWidget()
        upper = QVBoxLayout(above)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.setSpacing(0)
        upper.addWidget(self.bar)
        upper.addWidget(self._stack, 1)
        upper.addLayout(buttons)
        self._wrong = titled(QLabel(self.tr("What is wrong")), self.findings)
        right = QSplitter(Qt.Orientation.Vertical)
        right.setObjectName("data-work")
        right.setChildrenCollapsible(False)
        right.addWidget(above)
        right.addWidget(self._wrong)
        right.setSizes([380, 240])
        self._wrong.hide()
        line = QFrame()
        line.setFrameShape(QFrame.Shape.VLine)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(rolled)
        row.addWidget(right, 1)

    def _columns(self) -> list[Column[Job]]:
        return [
            Column(
                self.tr("What"), title, lambda job: job.number, icon=lambda job: self._theme.icons.icon(*_look(job)),
                tip=lambda job: tooltip_text(title(job)),
            ),
            Column(
                self.tr("How far, and what came of it"), lambda job: progress(job, self._now_us()),
                tip=lambda job: tooltip_text(progress(job, self._now_us())),
            ),
        ]  # fmt: skip

    # ------------------------------------------------------------ the job at hand

    @property
    def job(self) -> Job | None:
        """The job that the buttons are about."""
        index = self.jobs.currentIndex()
        return self.jobs.records.rows[index.row()] if index.isValid() else None

    @Slot(QModelIndex, QModelIndex)
    def _choose(self, *_rows: QModelIndex) -> None:
        job = self.job
        self.cancel.setVisible(job is not None and not job.state.ended)
        path = self._path(job)
        self.folder.setVisible(bool(path))
        self.copy_path.setVisible(bool(path))
        self.look.setVisible(job is not None and job.imported is not None and job.imported.messages > 0)
        self.salvage.setVisible(job is not None and job.salvageable)
        whole = job is not None and (job.state is JobState.FAILED or job.imported is not None or job.reread is not None)
        self._told.setText(progress(job, 0) if whole and job is not None else visible(path))
        findings = job.findings if job is not None else []
        self.findings.show_rows(findings)
        self._wrong.setVisible(bool(findings))

    def _path(self, job: Job | None) -> str:
        """The file that an export wrote."""
        return job.order.path if job is not None and job.order is not None and job.state is JobState.DONE else ""

    def _show_running(self) -> None:
        running = next((job for job in self._jobs if job.state is JobState.RUNNING), None)
        known = running.share if running is not None else 0.0
        self.bar.setRange(0, 0 if known is None else 1_000)
        self.bar.setValue(round(1_000 * (known or 0)))
        self.bar.setVisible(running is not None)

    @Slot()
    def _cancel(self) -> None:
        if self.job is not None:
            self.cancel_wanted.emit(self.job.number)

    @Slot()
    def _open_folder(self) -> None:
        self.folder_wanted.emit(self._path(self.job))

    @Slot()
    def _copy_path(self) -> None:
        QGuiApplication.clipboard().setText(self._path(self.job))

    @Slot()
    def _look(self) -> None:
        if self.job is not None and self.job.imported is not None:
            self.span_wanted.emit(self.job.imported.since_us, self.job.imported.until_us + 1)

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button, pressed in (
            (self.cancel, self._cancel), (self.folder, self._open_folder), (self.copy_path, self._copy_path),
            (self.look, self._look), (self.salvage, self.salvage_wanted.emit),
        ):  # fmt: skip
            if not button.isHidden():
                menu.addAction(button.text(), pressed)
        menu.addSeparator()
        self.jobs.add_copy(menu)
        menu.popup(self.jobs.viewport().mapToGlobal(where))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and not self.cancel.isHidden():
            self._cancel()
        else:
            super().keyPressEvent(event)


def _look(job: Job) -> tuple[str, str]:
    """Icon and token of its colour: carried out, and yet something is wrong, is a warning."""
    wrong = job.state is JobState.DONE and (job.findings or job.damaged)
    return ("warning", "warning") if wrong else _LOOKS[job.state]


def _explain(column: QVBoxLayout, title: str, hint: str) -> None:
    """Begin another piece of work."""
    label = QLabel(hint, wordWrap=True)
    label.setProperty("tone", "muted")
    column.addSpacing(14)
    column.addWidget(_heading(title))
    column.addWidget(label)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def _finding_table() -> SortedTable[Finding]:
    columns: list[Column[Finding]] = [
        Column(translate("WorkView", "File"), lambda one: visible(Path(one.path).name), lambda one: one.segment),
        Column(translate("WorkView", "What is wrong"), lambda one: finding_word(one.code)),
        Column(translate("WorkView", "Where"), lambda one: visible(one.detail), tip=lambda one: tooltip_text(visible(one.detail))),
        Column(translate("WorkView", "Path"), lambda one: visible(one.path), tip=lambda one: tooltip_text(visible(one.path))),
    ]  # fmt: skip
    return SortedTable(translate("WorkView", "What is wrong"), columns, (90, 220, 180, 180), lambda one: one, (2, 3))
