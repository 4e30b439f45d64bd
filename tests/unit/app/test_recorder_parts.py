import json
import logging
import threading
import zlib

import pytest

from app.recorder.log_file import Faults, log_to_file
from app.recorder.redelivery import Redelivery
from app.recorder.tally import CommitFigures
from app.recorder.watch import Watch
from models.domain.batch import RecordBatch
from models.domain.connection import Secret
from models.domain.messages import Origin, RawMessage


def message(packet_id, payload=b"x", *, dup=False, epoch=1, topic=b"t"):
    return RawMessage(topic, payload, 1 if packet_id else 0, False, dup, packet_id, None, 5, Origin.LIVE, epoch)


def crc(topic, payload):
    return zlib.crc32(topic + payload)


class TestRedelivery:
    def test_what_an_earlier_run_stored_is_found(self):
        one = Redelivery([(7, crc(b"t", b"x"))])
        again = [message(7, dup=True), message(8, dup=True), message(9)]
        assert one.split(again) == (again[1:], 1)

    def test_a_message_without_dup_is_never_taken_for_one_again(self):
        one = Redelivery([(7, crc(b"t", b"x"))])
        assert one.split([message(7)]) == ([message(7)], 0)

    def test_same_id_with_other_content_is_another_message(self):
        one = Redelivery([(7, crc(b"t", b"x"))])
        assert one.split([message(7, b"y", dup=True)])[1] == 0
        assert one.split([message(7, topic=b"u", dup=True)])[1] == 0

    def test_what_was_stored_before_the_link_broke_is_found_after_it(self):
        one = Redelivery()
        one.stored(RecordBatch([message(3), message(0), message(4, b"y")]))
        assert one.split([message(3, dup=True, epoch=2), message(4, b"y", dup=True, epoch=2)]) == ([], 2)

    def test_only_the_newest_message_of_an_id_counts(self):
        one = Redelivery([(3, crc(b"t", b"older"))])
        one.stored(RecordBatch([message(3, b"old")]))
        one.stored(RecordBatch([message(3, b"new")]))
        assert one.split([message(3, b"old", dup=True, epoch=2)])[1] == 0
        assert one.split([message(3, b"older", dup=True, epoch=2)])[1] == 0

    def test_what_came_again_before_anything_could_be_stored_is_kept_once(self):
        first, again = message(3, b"a"), message(3, b"a", dup=True, epoch=2)
        other = message(3, b"b", dup=True, epoch=2)
        assert Redelivery().split([first, again]) == ([first], 1)
        assert Redelivery().split([first, other]) == ([first, other], 0)


class TestWatch:
    def test_all_is_well_while_threads_beat(self, clock):
        watch = Watch(clock)
        watch.add("a", lambda: True)
        for _ in range(10):
            clock.advance(1_000_000)
            watch.beat("a")
            assert watch.look() is None

    def test_a_thread_that_stops_beating_is_stuck_after_its_limit(self, clock):
        watch = Watch(clock)
        watch.add("a", lambda: True)
        watch.add("slow", lambda: True, limit_us=30_000_000)
        for _ in range(5):
            clock.advance(1_000_000)
            assert watch.look() is None
        clock.advance(1_000_000)
        assert watch.look() == ("a", "stuck")

    def test_a_dead_thread_is_found_at_once(self, clock):
        watch = Watch(clock)
        watch.add("a", lambda: False)
        assert watch.look() == ("a", "dead")

    def test_a_process_that_slept_as_a_whole_blames_nobody(self, clock):
        watch = Watch(clock)
        watch.add("a", lambda: True)
        clock.advance(3_600_000_000)
        assert watch.look() is None
        for _ in range(5):
            clock.advance(1_000_000)
            assert watch.look() is None
        clock.advance(1_000_000)
        assert watch.look() == ("a", "stuck")


def test_commit_figures_cover_the_last_minute(clock):
    figures = CommitFigures(clock)
    assert figures.quantiles_us() == (0, 0)
    figures.add(9_000_000)
    clock.advance(61_000_000)
    assert figures.quantiles_us() == (0, 0)
    for duration_us in range(1, 102):
        figures.add(duration_us)
    assert figures.quantiles_us() == (51, 100)


class TestLog:
    @pytest.fixture
    def log(self, tmp_path):
        level = logging.getLogger().level
        handler, mask = log_to_file(tmp_path / "recorder.log")
        yield tmp_path / "recorder.log", mask
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
        handler.close()

    def test_secrets_are_masked_in_texts_and_tracebacks(self, log):
        path, mask = log
        mask.hide(Secret("hush"))
        mask.hide(Secret(""))
        try:
            raise ValueError("with hush inside")
        except ValueError:
            logging.getLogger("x").exception("password %s", "hush")
        entry = json.loads(path.read_text())
        assert entry["text"] == "password ***"
        assert "with *** inside" in entry["error"]
        assert "hush" not in path.read_text()

    @pytest.mark.usefixtures("log")
    def test_what_any_module_logs_with_its_traceback_counts_once(self):
        faults = Faults()
        restore = faults.catch_all()
        try:
            try:
                raise KeyError("ours")
            except KeyError:
                logging.getLogger("mqtt.session").exception("the network thread goes on")
                faults.note("reading failed")
            logging.getLogger("x").error("trouble with the disk is no mistake of ours")
        finally:
            restore()
        logging.getLogger("x").error("nobody listens any more", exc_info=KeyError("ours"))
        assert faults.count == 2

    def test_uncaught_exceptions_of_threads_are_logged_and_counted(self, log):
        path, _ = log
        faults = Faults()
        restore = faults.catch_all()
        try:
            thread = threading.Thread(target=lambda: 1 / 0, name="clumsy")
            thread.start()
            thread.join()
        finally:
            restore()
        assert faults.count == 1
        entry = json.loads(path.read_text())
        assert entry["thread"] == "clumsy"
        assert "ZeroDivisionError" in entry["error"]
