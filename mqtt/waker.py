"""Wakes a thread that waits for a socket."""

import socket


class Waker:
    """`wake()` from any thread makes this object readable; the waiting thread calls `clear()` before it looks for work."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._woken = False

    def fileno(self) -> int:
        return self._ours.fileno()

    def wake(self) -> None:
        if self._woken:
            return
        self._woken = True
        try:
            self._theirs.send(b"\0")
        except OSError:
            pass  # closed meanwhile: nobody waits any more

    def clear(self) -> None:
        self._woken = False  # first: a wake() in between then sends a byte too many, never one too few
        try:
            self._ours.recv(4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()
