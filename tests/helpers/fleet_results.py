"""Fleet results made by hand, for tests and pictures of widgets."""

import numpy as np

from models.domain.presence_words import Cause, Condition, Presence
from models.domain.queries import HOUR_CELLS, SPARK_CELLS, FleetRequest, FleetResult

NOW_US = 1_795_441_200_000_000
MINUTE_US = 60_000_000


def fleet_of(n: int, seed: int = 1, ill: int = 0) -> FleetResult:
    """`n` agents of eight groups, all well but the last `ill`: offline by will, late, degraded, failing, in turn."""
    rng = np.random.default_rng(seed)
    groups = ["crawler", "planner", "summariser", "indexer", "router", "reviewer", "trader", "scout"]
    ids = [f"{groups[i % 8]}-{i // 8 + 1}" for i in range(n)]
    presence = np.full(n, Presence.ONLINE, np.uint8)
    condition = np.zeros(n, np.uint8)
    cause = [Cause.HEARD] * n
    hour = np.full((n, HOUR_CELLS), Presence.ONLINE, np.uint8)
    hour_errors = (rng.random((n, HOUR_CELLS)) < 0.01).astype(np.uint16)
    finished = rng.integers(40, 400, n)
    failed = rng.binomial(finished, 0.005)
    for k in range(ill):
        i, what = n - 1 - k, k % 4
        if what == 0:
            presence[i], cause[i] = Presence.OFFLINE, Cause.WILL
            hour[i, -7:] = Presence.OFFLINE
        elif what == 1:
            presence[i], cause[i] = Presence.LATE, Cause.SILENCE
            hour[i, -1:] = Presence.LATE
        elif what == 2:
            condition[i] = Condition.DEGRADED
        else:
            failed[i] = finished[i] // 3
        hour_errors[i, -20:] += rng.integers(0, 3, 20).astype(np.uint16)
    walk = np.cumsum(rng.normal(0, 0.02, (n, SPARK_CELLS)), axis=1)
    cpu_spark = np.clip(rng.uniform(0.05, 0.6, (n, 1)) + walk, 0.01, 1).astype(np.float32)
    memory_spark = (rng.uniform(5e7, 9e8, (n, 1)) * (1 + walk / 5)).astype(np.float32)
    attempts = rng.integers(1, 40, n)
    errors = rng.binomial(attempts, 0.05)
    return FleetResult(
        request=FleetRequest(), at_us=NOW_US, agent=np.arange(1, n + 1), id=ids,
        name=[i.replace("-", " ").title() for i in ids], group=[i.split("-")[0] for i in ids], note=[""] * n,
        convention=["murmurscope"] * n, presence=presence, condition=condition, cause=cause,
        since_us=NOW_US - rng.integers(1, 300, n) * MINUTE_US, last_seen_us=NOW_US - rng.integers(100_000, 9_000_000, n),
        interval_us=np.full(n, 10_000_000), maintenance_until_us=np.zeros(n, np.int64), retired=np.zeros(n, np.bool_),
        cpu=cpu_spark[:, -1].astype(np.float64), cpu_unit=["1"] * n, cpu_source=["process.cpu.utilization"] * n,
        memory=memory_spark[:, -1].astype(np.float64), memory_unit=["By"] * n, memory_source=["process.memory.usage"] * n,
        cpu_spark=cpu_spark, memory_spark=memory_spark, response_p95_s=rng.lognormal(-2, 0.6, n),
        response_n=rng.integers(20, 900, n), finished=finished, failed=failed, tasks_open=rng.integers(0, 4, n),
        attempts=attempts, successes=attempts - errors, errors=errors, log_errors=rng.integers(0, 9, n),
        messages=rng.integers(300, 4_000, n), hour_presence=hour, hour_errors=hour_errors,
    )  # fmt: skip


class FixedSource:
    """Answers every question of one kind with the same result, at once, and keeps what was asked."""

    def __init__(self, *results: object) -> None:
        self.results = {type(result.request): result for result in results}  # type: ignore[attr-defined]
        self.asked: list[object] = []

    def ask(self, request, deliver):  # type: ignore[no-untyped-def]
        self.asked.append(request)
        if type(request) in self.results:
            deliver(self.results[type(request)])
        return self

    def cancel(self) -> None:
        pass
