"""Writes a real `.xls` file (BIFF8 in an OLE2 container), because no installed package does.

Source of the formats: Microsoft's [MS-XLS] and [MS-CFB].
"""

import struct
from collections.abc import Sequence
from pathlib import Path

DIVISION_BY_ZERO = b"\x07"
"""A cell that holds this error."""

Cell = str | float | bool | bytes | None

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
GLOBALS, WORKSHEET = 0x0005, 0x0010
NOT_A_MINI_STREAM = 4096


def write_xls(path: Path, rows: Sequence[Sequence[Cell]]) -> Path:
    """The rows as the one sheet of a workbook."""
    path.write_bytes(_container(_workbook(rows)))
    return path


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _workbook(rows: Sequence[Sequence[Cell]]) -> bytes:
    def opening(sheet_at: int) -> bytes:
        name = b"data"
        sheet = struct.pack("<IBBBB", sheet_at, 0, 0, len(name), 0) + name
        return _bof(GLOBALS) + _record(0x0042, struct.pack("<H", 1200)) + _record(0x0085, sheet) + _record(0x000A)

    size = struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows), default=0), 0)
    sheet = _bof(WORKSHEET) + _record(0x0200, size)
    for number, row in enumerate(rows):
        sheet += b"".join(_cell(number, column, cell) for column, cell in enumerate(row))
    return opening(len(opening(0))) + sheet + _record(0x000A)


def _bof(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def _cell(row: int, column: int, cell: Cell) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if cell is None:
        return b""
    if isinstance(cell, str):
        return _record(0x0204, place + struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le"))
    if isinstance(cell, bool | bytes):
        code = bytes([cell]) if isinstance(cell, bool) else cell
        return _record(0x0205, place + code + bytes([isinstance(cell, bytes)]))
    return _record(0x0203, place + struct.pack("<d", cell))


def _container(stream: bytes) -> bytes:
    """Sector 0 is the table of sectors, sector 1 the directory, the stream follows."""
    stream = stream.ljust(max(NOT_A_MINI_STREAM, -(-len(stream) // SECTOR) * SECTOR), b"\0")
    sectors = len(stream) // SECTOR
    assert sectors + 2 <= SECTOR // 4, "one sector of the table holds no more"
    chain = [FAT, END, *range(3, sectors + 2), END]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(SECTOR, b"\xff")
    directory = _entry("Root Entry", 5, END, 0, child=1) + _entry("Workbook", 2, 2, len(stream))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, NOT_A_MINI_STREAM, END, 0, END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    return header + table + directory.ljust(SECTOR, b"\0") + stream


def _entry(name: str, kind: int, start: int, size: int, child: int = FREE) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    links = struct.pack("<III", FREE, FREE, child)
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBB", len(text), kind, 1)
        + links
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )
