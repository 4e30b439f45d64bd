"""What the recorder says, as notices in the window, each with the one thing to do about it."""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Slot

from app.control_wire import problem_from
from app.window.recorder_link import RecorderLink
from app.window.recorder_watch import STALE_BEAT_US
from models.domain.control import Link, RecorderState
from models.domain.problems import Problem, Severity
from widgets.frame.notice_bar import Notice

STALE_BEAT_S = STALE_BEAT_US // 1_000_000
RECORDER, BROKER, WARNING, FIRST_RUN, FAULTS = "recorder", "broker", "warning", "first-run", "faults"


class Notices(Protocol):
    """`widgets.frame.notice_bar.NoticeBar`."""

    def show_notice(self, notice: Notice) -> None: ...
    def show_problem(
        self, problem: Problem, action: str = "", on_action: Callable[[], object] | None = None, key: str = ""
    ) -> None: ...
    def clear(self, key: str) -> None: ...


class RecorderNotices(QObject):
    """Tells a matter when it begins or changes and takes it back when it is over; what the user closed stays closed."""

    def __init__(
        self,
        notices: Notices,
        link: RecorderLink,
        choose_connection: Callable[[], object],
        parent: QObject | None = None,
        *,
        demo: bool = False,
    ) -> None:
        super().__init__(parent)
        self._notices, self._link, self._choose, self._demo = notices, link, choose_connection, demo
        self._told: dict[str, Problem] = {}
        self._greeted = False
        link.problem.connect(self.show_recorder)
        link.state_changed.connect(self.show_state)

    @Slot(object)
    def show_recorder(self, problem: Problem | None) -> None:
        """The recorder itself: died, silent, of another version, or well (None)."""
        if problem is None:
            self._settle(RECORDER)
            return
        action, act = self._way_out(problem)
        self._tell(RECORDER, problem, action, act)

    @Slot(object)
    def show_state(self, state: RecorderState | None) -> None:
        """What a recorder that answers says of its broker and its store."""
        problem = problem_from(state.problem) if state is not None and state.problem is not None else None
        if problem is None:
            self._settle(BROKER)
        else:
            self._tell(BROKER, problem, *self._way_out(problem))
        warnings: dict[str, Problem] = {}
        for one in [problem_from(one) for one in state.warnings] if state is not None else []:
            place = sum(key.startswith(f"{WARNING}:{one.code}:") for key in warnings)  # several files may be damaged
            warnings[f"{WARNING}:{one.code}:{place}"] = one
        for key in [key for key in self._told if key.startswith(WARNING) and key not in warnings]:
            self._settle(key)
        for key, one in warnings.items():
            self._tell(key, one, "", None)
        if state is not None:
            self._greet(state)

    @Slot(int)
    def show_faults(self, count: int) -> None:
        """Mistakes of this window so far."""
        many = self.tr("The window met {n} mistakes of its own.").replace("{n}", str(count))
        sentence = many if count > 1 else self.tr("The window met a mistake of its own.")
        remedy = self.tr("It goes on; the log says more.")
        self._notices.show_notice(Notice(FAULTS, Severity.WARNING, sentence, remedy))

    def _way_out(self, problem: Problem) -> tuple[str, Callable[[], object] | None]:
        seconds = problem.params.get("seconds", 0)
        match problem.code:
            case "recorder.failing":
                return self.tr("Start again"), self._link.start_again
            case "recorder.version":
                return self.tr("Restart the recorder"), self._link.restart
            case "recorder.silent" if isinstance(seconds, int) and seconds >= STALE_BEAT_S:
                text = self.tr("End process {pid}").replace("{pid}", str(problem.params.get("pid", "?")))
                return text, self._link.end_silent
            case "broker.malformed":
                return self.tr("Start a new session"), self._link.start_anew
            case "broker.taken-over" | "broker.cut-off":
                return self.tr("Connect now"), self._link.wake
            case code if code.startswith("broker."):
                return self.tr("Change connection…"), self._choose
            case "embedded.start" | "system.missing":
                return self.tr("Choose a broker…"), self._choose
        return "", None

    def _tell(self, key: str, problem: Problem, action: str, act: Callable[[], object] | None) -> None:
        told = Problem(problem.code, problem.params)  # when it is tried again is not news
        if self._told.get(key) != told:
            self._told[key] = told
            self._notices.show_problem(problem, action, act, key)

    def _settle(self, key: str) -> None:
        if self._told.pop(key, None) is not None:
            self._notices.clear(key)

    def _greet(self, state: RecorderState) -> None:
        if state.link is not Link.CONNECTED:
            return
        if not state.embedded:
            self._notices.clear(FIRST_RUN)
            self._greeted = True
        elif not self._greeted:
            self._greeted = True
            told = self._of_the_demo() if self._demo else self._of_this_computer()
            connect = self.tr("Connect to a broker…")
            self._notices.show_notice(Notice(FIRST_RUN, Severity.INFO, *told, action=connect, on_action=self._choose))

    def _of_this_computer(self) -> tuple[str, str]:
        return (
            self.tr("This is your own computer, live."),
            self.tr("Its busiest processes show what agents look like. Yours appear once you connect to their broker."),
        )

    def _of_the_demo(self) -> tuple[str, str]:
        return (
            self.tr("This fleet is simulated."),
            self.tr(
                "Every four minutes a crawler slows down, fails and dies; others take its tasks over, and it returns."
            ),
        )
