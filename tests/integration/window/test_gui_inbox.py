import threading

import pytest
from PySide6.QtCore import QObject, Slot

from app.window import gui_inbox
from app.window.gui_inbox import GuiInbox, still_there


@pytest.fixture
def inbox(qapp: object) -> GuiInbox:
    return GuiInbox()


def test_calls_of_many_threads_are_made_in_the_gui_thread_with_few_wakes(inbox: GuiInbox, qtbot) -> None:
    made: list[tuple[int, int, bool]] = []
    wakes: list[None] = []
    inbox._wake.connect(lambda: wakes.append(None))

    def put(thread: int) -> None:
        for number in range(500):
            inbox.put(
                lambda number=number: made.append(
                    (thread, number, threading.current_thread() is threading.main_thread())
                )
            )

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    qtbot.waitUntil(lambda: len(made) == 2000)
    assert all(main for _thread, _number, main in made)
    for thread in range(4):
        assert [number for its, number, _main in made if its == thread] == list(range(500))
    assert len(wakes) < 100


def test_a_call_that_fails_does_not_keep_the_others_waiting(inbox: GuiInbox, qtbot) -> None:
    made: list[int] = []
    with qtbot.captureExceptions() as raised:
        inbox.put(lambda: 1 / 0)
        inbox.put(lambda: made.append(1))
        qtbot.waitUntil(lambda: made == [1])
    assert len(raised) == 1


def test_a_long_drain_lets_the_event_loop_turn(inbox: GuiInbox, qtbot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gui_inbox, "DRAIN_LIMIT_S", 0)
    made: list[int] = []
    wakes: list[int] = []
    inbox._wake.connect(lambda: wakes.append(len(made)))
    for number in range(5):
        inbox.put(lambda number=number: made.append(number))
    qtbot.waitUntil(lambda: made == [0, 1, 2, 3, 4])
    assert len(wakes) == 5


def test_nothing_is_made_after_closing(inbox: GuiInbox, qapp) -> None:
    made: list[int] = []
    inbox.put(lambda: made.append(1))
    inbox.close()
    inbox.put(lambda: made.append(2))
    qapp.processEvents()
    assert made == []


def test_knows_whether_a_receiver_is_still_there(qapp) -> None:
    class Receiver(QObject):
        @Slot()
        def take(self) -> None: ...

    receiver = Receiver()
    assert still_there(receiver.take)
    assert still_there(print)
    take = receiver.take
    receiver.deleteLater()
    qapp.sendPostedEvents(receiver, 52)  # QEvent.DeferredDelete
    assert not still_there(take)
