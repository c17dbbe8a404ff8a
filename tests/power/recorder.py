"""Records what SQLite does to its files: a VFS that hands everything on to the usual one and writes it down.

Registered in the very library that Python's own sqlite3 uses, so the code under test is the code that runs in production,
its driver included. The layout of the two tables is SQLite's public one (sqlite.org/c3ref/vfs.html, io_methods.html).
"""

from __future__ import annotations

import _sqlite3
import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OK = 0
_Open = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_int)
)
_Delete = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
_Write = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64)
_Truncate = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int64)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("open", _Open),
        ("delete", _Delete),
        ("others", ctypes.c_void_p * 14),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("close", ctypes.c_void_p),
        ("read", ctypes.c_void_p),
        ("write", _Write),
        ("truncate", _Truncate),
        ("sync", _Sync),
        ("others", ctypes.c_void_p * 13),
    )


class _File(ctypes.Structure):
    _fields_ = (("methods", ctypes.POINTER(_Methods)),)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done to a file, by name; or `mark`, something promised to somebody outside."""

    what: str
    """write, truncate, sync, delete or mark."""
    name: str
    at: int = 0
    data: bytes = b""


@dataclass
class Record:
    """Everything in the order in which it was done, since the files were as they are in `began`."""

    folder: Path
    deeds: list[Deed] = field(default_factory=list)
    began: dict[str, bytes] = field(default_factory=dict)

    def mark(self, promise: str) -> None:
        """From here on somebody outside relies on it."""
        self.deeds.append(Deed("mark", promise))


class _Shim:
    """One registered VFS; keeps alive what SQLite points to."""

    def __init__(self, record: Record) -> None:
        self.record = record
        # The symbols of whatever SQLite the extension itself is linked with.
        self.library = ctypes.CDLL(_sqlite3.__file__)
        self.library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        self.usual = self.library.sqlite3_vfs_find(None)
        self.table = _Vfs()
        ctypes.memmove(ctypes.byref(self.table), self.usual, ctypes.sizeof(_Vfs))
        self.table.name = b"recorder"
        self.table.open = _Open(self.open)
        self.table.delete = _Delete(self.delete)
        self.names: dict[int, str] = {}
        self.methods: dict[int, tuple[_Methods, _Methods]] = {}

    def open(self, _vfs: int, path: int | None, file: int, flags: int, out: Any) -> int:
        # The very pointer: SQLite's own VFS keeps it as long as the file is open.
        code = int(self.usual.contents.open(ctypes.addressof(self.usual.contents), path, file, flags, out))
        place = Path(ctypes.string_at(path).decode()) if path else None
        if code == OK and place is not None and place.parent == self.record.folder:
            self.names[file] = place.name
            opened = _File.from_address(file)
            opened.methods = ctypes.pointer(self.instead_of(opened.methods))
        return code

    def instead_of(self, usual: Any) -> _Methods:
        """The same table with the three that change a file written down first."""
        address = ctypes.addressof(usual.contents)
        if address not in self.methods:
            theirs, ours = usual.contents, _Methods()
            ctypes.memmove(ctypes.byref(ours), usual, ctypes.sizeof(_Methods))
            ours.write = _Write(self.noting("write", theirs.write))
            ours.truncate = _Truncate(self.noting("truncate", theirs.truncate))
            ours.sync = _Sync(self.noting("sync", theirs.sync))
            self.methods[address] = ours, theirs
        return self.methods[address][0]

    def noting(self, what: str, usual: Any) -> Callable[..., int]:
        def work(file: int, *values: int) -> int:
            code = int(usual(file, *values))
            if code == OK:
                at, data = 0, b""
                if what == "write":
                    at, data = values[2], ctypes.string_at(values[0], values[1])
                elif what == "truncate":
                    at = values[0]
                self.record.deeds.append(Deed(what, self.names[file], at, data))
            return code

        return work

    def delete(self, _vfs: int, path: bytes, flags: int) -> int:
        code = int(self.usual.contents.delete(ctypes.addressof(self.usual.contents), path, flags))
        if code == OK and Path(path.decode()).parent == self.record.folder:
            self.record.deeds.append(Deed("delete", Path(path.decode()).name))
        return code


@contextmanager
def recorded(folder: Path) -> Iterator[Record]:
    """While this holds, every connection that is opened to a file in the folder is written down."""
    began = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    shim = _Shim(Record(folder, began=began))
    shim.library.sqlite3_vfs_register(ctypes.byref(shim.table), 1)
    try:
        yield shim.record
    finally:
        shim.library.sqlite3_vfs_unregister(ctypes.byref(shim.table))
        shim.library.sqlite3_vfs_register(shim.usual, 1)
