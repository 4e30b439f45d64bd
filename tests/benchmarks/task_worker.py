"""One agent of `tests.benchmarks.tasks`: does tasks, and notes every start and end in a file of its own.

python -m tests.benchmarks.task_worker URL ID FILE FAILURES_IN_100
"""

import random
import signal
import sys
import threading
import time
from pathlib import Path

from mqtt.agent import Agent, Task


def main() -> None:
    url, name, file, failures = sys.argv[1:]
    chance = random.Random(name)
    guard = threading.Lock()
    with (
        Path(file).open("a", buffering=1, encoding="utf-8") as notes,
        Agent(url, name, interval_s=5, workers=4) as agent,
    ):

        def note(word: str, task: Task) -> None:
            with guard:
                notes.write(f"{word} {task.id} {task.attempt} {time.time():.6f}\n")

        @agent.task("work")
        def work(task: Task) -> dict[str, object]:
            note("start", task)
            time.sleep((task.input or {}).get("seconds", 0))
            if chance.random() * 100 < float(failures):
                note("failed", task)
                raise RuntimeError("as was to be expected")
            note("completed", task)
            return {"by": name}

        signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    main()
