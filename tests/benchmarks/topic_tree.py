"""How long the topic tree holds the window up: the first answer, opening a branch, updates, the filter.

QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.topic_tree [--topics 100000] [--changed 5000] [--flat]
"""

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from PySide6.QtWidgets import QApplication

from models.domain.queries import DataSource, TopicsRequest, TopicsResult
from tests.helpers.clock import FakeClock
from tests.widgets.fakes import FakeSource
from widgets.common.theme import ThemeHolder
from widgets.frame.time_range import TimeRangeModel
from widgets.messages.topic_panel import TopicPanel

KINDS = (b"status", b"metrics", b"log", b"task")
UPDATES = 20


class Topics:
    """Made up topics and what came on them."""

    def __init__(self, count: int, *, flat: bool) -> None:
        self.random = np.random.default_rng(1)
        self.names = [
            b"devices/%d" % n if flat else b"agents/crawler-%d/%s" % (n // 4, KINDS[n % 4]) for n in range(count)
        ]
        self.totals = self.random.integers(1, 9_999, count)

    def answer(self, rows: np.ndarray, *, whole: bool = False) -> TopicsResult:
        zeros = np.zeros(len(rows), np.int64)
        names = [self.names[row] for row in rows.tolist()]
        return TopicsResult(TopicsRequest(), 1, whole, rows + 1, names, self.totals[rows], self.totals[rows] * 300, zeros, zeros)  # fmt: skip

    def some(self, count: int) -> TopicsResult:
        rows = np.unique(self.random.integers(0, len(self.names), count))
        self.totals[rows] += self.random.integers(1, 50, len(rows))
        return self.answer(rows)


def main() -> int:
    """Prints milliseconds in the GUI thread, without and with painting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topics", type=int, default=100_000)
    parser.add_argument("--changed", type=int, default=5_000)
    parser.add_argument("--flat", action="store_true", help="all topics in one branch")
    options = parser.parse_args()
    app, clock = QApplication([]), FakeClock()
    topics, source = Topics(options.topics, flat=options.flat), FakeSource()
    panel = _panel(app, clock, source)

    def measured(what: str, work: Callable[[], object]) -> tuple[float, float]:
        began = time.perf_counter()
        work()
        done = time.perf_counter()
        app.processEvents()
        times = (1e3 * (done - began), 1e3 * (time.perf_counter() - began))
        if what:
            print(f"{what:32} {times[0]:7.1f} ms, with painting {times[1]:7.1f} ms")
        return times

    whole = topics.answer(np.arange(options.topics), whole=True)
    measured("first answer", lambda: panel._take(whole))
    branch = panel.model.index(1, 0)
    measured("open the branch", lambda: panel.tree.expand(branch))
    panel.tree.setCurrentIndex(panel.model.index(5, 0, branch))
    times = []
    for _ in range(UPDATES):
        clock.advance(1_000_000)
        answer = topics.some(options.changed)
        times.append(measured("", lambda answer=answer: panel._take(answer)))
    for place, name in enumerate(("update", "update with painting")):
        found = sorted(one[place] for one in times)
        print(f"{name:32} median {found[UPDATES // 2]:.1f} ms, longest {found[-1]:.1f} ms")
    for text in ("77", "nothing", ""):
        panel.search.setText(text)
        measured(f"filter “{text}”", panel._search_now)
    return 0


def _panel(app: QApplication, clock: FakeClock, source: DataSource) -> TopicPanel:
    panel = TopicPanel(source, TimeRangeModel(clock), ThemeHolder(app, "light"), clock.monotonic_us)
    panel.tree.underMouse = lambda: False  # type: ignore[method-assign]
    panel.resize(400, 800)
    panel.show()
    app.processEvents()
    panel._second.stop()
    return panel


if __name__ == "__main__":
    sys.exit(main())
