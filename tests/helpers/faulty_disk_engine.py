"""The engine's own calls of its file system, made to pass through functions of ours.

A VFS in Python would not do: apsw raises every error that such a one answers, also those that the engine expects and
swallows (a checkpoint after a commit, a hint, a lock asked for on a file that is only read), so that a commit would seem to
have failed that is durable. So the function pointers of the engine's `unix` file system are exchanged, in memory, for the
time of a test: exactly what a failing disk would answer, to exactly who would hear it, shared memory included.
"""

import contextlib
import ctypes
import tempfile
from collections.abc import Callable, Iterator
from ctypes import POINTER, c_int, c_int64, c_void_p
from typing import Any

import apsw

_FILE_CALLS: list[tuple[str, list[Any]]] = [
    ("xClose", []), ("xRead", [c_void_p, c_int, c_int64]), ("xWrite", [c_void_p, c_int, c_int64]),
    ("xTruncate", [c_int64]), ("xSync", [c_int]), ("xFileSize", [c_void_p]), ("xLock", [c_int]), ("xUnlock", [c_int]),
    ("xCheckReservedLock", [c_void_p]), ("xFileControl", [c_int, c_void_p]), ("xSectorSize", []),
    ("xDeviceCharacteristics", []), ("xShmMap", [c_int, c_int, c_int, c_void_p]), ("xShmLock", [c_int, c_int, c_int]),
    ("xShmBarrier", []), ("xShmUnmap", [c_int]), ("xFetch", [c_int64, c_int, c_void_p]), ("xUnfetch", [c_int64, c_void_p]),
]  # fmt: skip
_SYSTEM_CALLS: list[tuple[str, list[Any]]] = [
    ("xOpen", [c_void_p, c_void_p, c_int, c_void_p]), ("xDelete", [c_void_p, c_int]),
    ("xAccess", [c_void_p, c_int, c_void_p]), ("xFullPathname", [c_void_p, c_int, c_void_p]),
]  # fmt: skip
"""A path is a pointer, as the engine keeps that of a database and has more behind its end."""
_TYPES = {name: ctypes.CFUNCTYPE(c_int, c_void_p, *rest) for name, rest in (*_FILE_CALLS, *_SYSTEM_CALLS)}


class _FileMethods(ctypes.Structure):
    _fields_ = [("iVersion", c_int), *((name, c_void_p) for name, _ in _FILE_CALLS)]


class _File(ctypes.Structure):
    _fields_ = [("methods", POINTER(_FileMethods))]


class _System(ctypes.Structure):
    _fields_ = [
        ("iVersion", c_int), ("szOsFile", c_int), ("mxPathname", c_int), ("pNext", c_void_p), ("zName", c_void_p),
        ("pAppData", c_void_p), *((name, c_void_p) for name, _ in _SYSTEM_CALLS),
    ]  # fmt: skip


Call = Callable[..., int]
"""A call of the engine: the file (or file system) as a number, its arguments; answers a result code."""
Around = Callable[[str, Call, tuple[Any, ...]], int]
"""(name, what the engine would have called, its arguments) -> what the engine is answered."""


_KEPT: list[object] = []
"""What the engine may still point at, for ever: a file that was opened meanwhile, wherever it lies, may close late."""


class EngineCalls:
    """While `exchanged`, every call in `names` goes through `around`. An exception there is kept in `raised`, as nothing may
    be raised through the engine, which is told of an error."""

    def __init__(self, around: Around, names: tuple[str, ...]) -> None:
        self.raised: list[BaseException] = []
        self._around = around
        self._names = names
        self._tables: dict[int, Any] = {}  # address of the engine's table -> ours

    @contextlib.contextmanager
    def exchanged(self) -> Iterator[None]:
        system = _System.from_address(_address_of_unix())
        before = {name: getattr(system, name) for name, _ in _SYSTEM_CALLS}
        for name, _ in _SYSTEM_CALLS:
            original = _TYPES[name](before[name])
            setattr(system, name, self._pointer(name, self._opening(original) if name == "xOpen" else original))
        try:
            yield
        finally:
            for name, pointer in before.items():
                setattr(system, name, pointer)
            self._around = _as_it_is

    def _opening(self, original: Call) -> Call:
        def opened(system: int, path: int, file: int, flags: int, out: int) -> int:
            result = original(system, path, file, flags, out)
            one = _File.from_address(file)
            if result == apsw.SQLITE_OK and one.methods:
                one.methods = ctypes.pointer(self._table(one.methods.contents))
            return result

        return opened

    def _table(self, methods: _FileMethods) -> _FileMethods:
        address = ctypes.addressof(methods)
        if address not in self._tables:
            table = _FileMethods.from_buffer_copy(methods)
            for name, _ in _FILE_CALLS:
                if name in self._names and getattr(methods, name):
                    setattr(table, name, self._pointer(name, _TYPES[name](getattr(methods, name))))
            self._tables[address] = table
            _KEPT.append(table)
        return self._tables[address]  # type: ignore[no-any-return]

    def _pointer(self, name: str, original: Call) -> int | None:
        def call(*arguments: Any) -> int:
            try:
                return self._around(name, original, arguments)
            except BaseException as error:
                self.raised.append(error)
                return apsw.SQLITE_INTERNAL

        function = _TYPES[name](call)
        _KEPT.extend((function, original))
        return ctypes.cast(function, c_void_p).value


def _as_it_is(_name: str, original: Call, arguments: tuple[Any, ...]) -> int:
    return original(*arguments)


def _address_of_unix() -> int:
    """Where the engine keeps its default file system, as it tells of an open database."""
    found = c_void_p()
    with tempfile.NamedTemporaryFile() as file:
        connection = apsw.Connection(file.name)
        connection.file_control("main", apsw.SQLITE_FCNTL_VFS_POINTER, ctypes.addressof(found))
        connection.close()
    assert found.value
    return found.value
