"""Try a connection step by step, so that whoever set it up sees which step fails and what to do about it."""

import secrets
import socket
import threading
from collections.abc import Callable

from models.domain.clock import Clock, SystemClock
from models.domain.connection import Connection, Secret
from models.domain.control import StepState, TestStep
from models.domain.problems import EnvironmentProblem, Problem
from mqtt import refusals
from mqtt.dialogue import Cancelled, Dialogue
from mqtt.tls import tls_context

Report = Callable[[TestStep, StepState, Problem | None], None]

WHOLE_LIMIT_S = 25.0
MESSAGE_LIMIT_S = 5.0
_STEP_LIMIT_S = 4.0
_SLICE_S = 0.1
_REFUSED = 0x80


def test_connection(
    connection: Connection,
    secret: Secret | None,
    report: Report,
    cancelled: Callable[[], bool] = lambda: False,  # noqa: PT028 - no test of pytest
    clock: Clock | None = None,  # noqa: PT028 - as above
) -> Problem | None:
    """Run the steps in the caller's thread, 25 s at most, with a client id and a clean session of its own.

    Each step is reported RUNNING and then PASSED, FAILED or SKIPPED; after a failed one no other follows. SUBSCRIBE can
    pass with a warning. MESSAGE is SKIPPED when nothing was heard, which is no fault of the connection. Returns the
    problem of the failed step. When `cancelled` says so it returns soon (within 4 s), without a further report.
    """
    return _Trial(connection, secret, report, cancelled, clock or SystemClock()).run()


test_connection.__test__ = False  # type: ignore[attr-defined] # not a pytest function


class _Trial:
    def __init__(
        self, connection: Connection, secret: Secret | None, report: Report, cancelled: Callable[[], bool], clock: Clock
    ) -> None:
        self._connection, self._secret, self._report, self._cancelled = connection, secret, report, cancelled
        self._clock = clock
        self._end_us = clock.monotonic_us() + int(WHOLE_LIMIT_S * 1e6)
        self._step = TestStep.NAME

    def run(self) -> Problem | None:
        try:
            self._begin(TestStep.NAME)
            self._resolve()
            self._pass()
            self._reach()
            with self._dialogue() as dialogue:
                self._begin(TestStep.CONNACK)
                dialogue.connect()
                self._pass()
                self._begin(TestStep.SUBSCRIBE)
                self._pass(self._subscribe(dialogue))
                self._begin(TestStep.MESSAGE)
                heard = dialogue.wait_for_message(min(MESSAGE_LIMIT_S, self._left_s()))
                self._report(self._step, StepState.PASSED if heard else StepState.SKIPPED, None)
        except Cancelled:
            return None
        except EnvironmentProblem as trouble:
            self._report(self._step, StepState.FAILED, trouble.problem)
            return trouble.problem
        except (OSError, UnicodeError) as error:
            problem = refusals.problem_of(error, self._connection)
            if problem is None:
                raise
            self._report(self._step, StepState.FAILED, problem)
            return problem
        return None

    def _dialogue(self) -> Dialogue:
        client_id = f"murmurscope-test-{secrets.token_hex(6)}"
        return Dialogue(self._connection, self._secret, client_id, self._clock, self._cancelled, self._left_s)

    def _begin(self, step: TestStep) -> None:
        if self._cancelled():
            raise Cancelled
        self._step = step
        self._report(step, StepState.RUNNING, None)

    def _pass(self, warning: Problem | None = None) -> None:
        self._report(self._step, StepState.PASSED, warning)

    def _left_s(self) -> float:
        return max(0.1, (self._end_us - self._clock.monotonic_us()) / 1e6)

    def _resolve(self) -> None:
        """A name server that is silent holds its thread for long; that thread is left to itself."""
        answer: list[Exception | None] = []
        answered = threading.Event()

        def ask() -> None:
            try:
                socket.getaddrinfo(self._connection.host, self._connection.port, type=socket.SOCK_STREAM)
                answer.append(None)
            except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
                answer.append(error)
            answered.set()

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        for _ in range(int(_STEP_LIMIT_S / _SLICE_S)):
            if answered.wait(_SLICE_S):
                break
            if self._cancelled():
                raise Cancelled
        if not answer:
            raise EnvironmentProblem(Problem("broker.name", {"host": self._connection.host}))
        if answer[0] is not None:
            raise answer[0]

    def _reach(self) -> None:
        """TCP, and TLS where wanted, on a connection that is closed again."""
        connection = self._connection
        self._begin(TestStep.TCP)
        with socket.create_connection((connection.host, connection.port), timeout=_STEP_LIMIT_S) as sock:
            self._pass()
            self._begin(TestStep.TLS)
            if not connection.tls:
                self._report(TestStep.TLS, StepState.SKIPPED, None)
                return
            context = tls_context(connection)
            try:
                context.wrap_socket(sock, server_hostname=connection.host).close()
            except TimeoutError as error:
                raise EnvironmentProblem(refusals.no_answer(connection)) from error
            self._pass()

    def _subscribe(self, dialogue: Dialogue) -> Problem | None:
        """The warning that some filters were refused; raises when all were."""
        filters = self._connection.filters
        refused = [
            (one, text)
            for one, (code, text) in zip(filters, dialogue.subscribe(filters), strict=False)
            if code >= _REFUSED
        ]
        if not refused:
            return None
        params = {"host": self._connection.host, "detail": ", ".join(sorted({text for _, text in refused}))}
        if len(refused) == len(filters):
            raise EnvironmentProblem(Problem("broker.all-subscriptions", params))
        return Problem("broker.subscription", {**params, "filters": ", ".join(one for one, _ in refused)})
