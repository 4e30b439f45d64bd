"""Asks the orchestrator for something about many agents or tasks, one after the other, with progress and a way to stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtWidgets import QProgressDialog, QWidget

from app.window.recorder_link import Done, TaskClient
from models.domain.problems import EnvironmentProblem, Problem
from widgets.common.numbers import count_text
from widgets.common.words import problem_text

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected
CHUNK = 20
"""So many are asked for before somebody may stop it."""
_SLOW_MS = 500
_OUT_OF_REACH = ("recorder.absent", "recorder.silent", "recorder.died", "recorder.version", "publish.not-connected")
"""What the next one would hear as well."""

Ask = Callable[[TaskClient, str], object]


class Link(Protocol):
    """`RecorderLink`, as far as it is about tasks."""

    def about_tasks(self, job: Callable[[TaskClient], object], done: Done) -> None: ...


@dataclass(slots=True)
class Outcome:
    """`done`: what it came true for; `refused`: why not for others; `left`: nobody got to these."""

    done: list[str] = field(default_factory=list)
    refused: dict[str, Problem] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


class InTurn(QObject):
    """One use. `tell` gets what came of it, once. GUI thread; `ask` runs on the worker thread of the link."""

    def __init__(self, link: Link, window: QWidget, ask: Ask, tell: Callable[[Outcome], object]) -> None:
        super().__init__(window)
        self._link, self._ask, self._tell = link, ask, tell
        self._outcome = Outcome()
        self._progress: QProgressDialog | None = None

    def start(self, names: Sequence[str], said: str) -> None:
        """`said`: what is being done, translated, where it takes its time."""
        self._outcome.left = list(names)
        if len(names) > CHUNK:
            self._progress = QProgressDialog(said, self.tr("Stop"), 0, len(names), self.parent())  # type: ignore[arg-type] # a widget
            self._progress.setWindowModality(Qt.WindowModality.NonModal)
            self._progress.setMinimumDuration(_SLOW_MS)
            self._progress.setAutoClose(False)
        self._next()

    def _next(self) -> None:
        left = self._outcome.left
        stopped = self._progress is not None and self._progress.wasCanceled()
        if not left or stopped:
            self._end()
            return
        chunk, self._outcome.left = left[:CHUNK], left[CHUNK:]
        heard: dict[str, Problem | None] = {}

        def job(client: TaskClient) -> None:
            for name in chunk:
                try:
                    self._ask(client, name)
                    heard[name] = None
                except EnvironmentProblem as error:
                    heard[name] = error.problem
                    if error.problem.code in _OUT_OF_REACH:
                        return

        self._link.about_tasks(job, lambda problem: self._heard(chunk, heard, problem))

    def _heard(self, chunk: Sequence[str], heard: dict[str, Problem | None], problem: Problem | None) -> None:
        outcome = self._outcome
        for name in chunk:
            why = heard.get(name, problem)
            if why is not None:
                outcome.refused[name] = why
            elif name in heard:
                outcome.done.append(name)
        unasked = [name for name in chunk if name not in heard and problem is None]
        outcome.left = unasked + outcome.left
        if self._progress is not None:
            self._progress.setValue(len(outcome.done) + len(outcome.refused))
        if unasked or problem is not None:
            self._end()
        else:
            self._next()

    def _end(self) -> None:
        if self._progress is not None:
            self._progress.close()
            self._progress.deleteLater()
        self._tell(self._outcome)
        self.deleteLater()


def outcome_text(done: str, outcome: Outcome, hint: str = "") -> tuple[str, str]:
    """A sentence on what came of something that was asked for in turn, and what else is to be said. `done`: of what came true."""
    parts = [done] if outcome.done else []
    remedy = hint if outcome.done else ""
    if outcome.refused:
        why, way_out = problem_text(next(iter(outcome.refused.values())))
        text = translate("InTurn", "Refused for {n}: {why}").replace("{n}", count_text(len(outcome.refused)))
        parts.append(text.replace("{why}", why))
        remedy = way_out
    if outcome.left:
        text = translate("InTurn", "{n} were not asked for any more.")
        parts.append(text.replace("{n}", count_text(len(outcome.left))))
    return " ".join(parts), remedy
