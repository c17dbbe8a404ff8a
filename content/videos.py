"""Takes out of a video what a telephone writes beside picture and sound: the place, the device, the hour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_WITHIN: Final = {b"moov", b"trak", b"mdia", b"minf", b"moof", b"traf"}
"""Boxes made of boxes in which notes may lie (ISO/IEC 14496-12, §8)."""
_NOTES: Final = {b"udta", b"meta", b"uuid", b"free", b"skip"}
"""What makers and telephones write into: Android's place is in the first, an iPhone's in the second."""
_DATED: Final = {b"mvhd", b"tkhd", b"mdhd"}
"""Their content begins with the version, then when it was made and changed: seconds, of 4 bytes each, in version 1 of 8."""
_DEPTH: Final = 6
_BOXES: Final = 20_000
"""More than this are no video of a telephone: what follows stays as it is."""


def without_notes(data: bytes) -> bytes:
    """An MP4 of the same length, picture and sound untouched, with zeros where notes and hours were.

    Nothing is decoded. What is no MP4, is cut short or damaged comes back with as much taken out as can be read; never
    raises. Notes that run along with the picture as a track of their own (action cameras) stay.
    """
    clean = bytearray(data)
    for number, (kind, at, begin, end) in enumerate(_boxes(clean, 0, len(clean), _DEPTH)):
        if number == _BOXES:
            break
        if kind in _NOTES:
            clean[at + 4 : at + 8] = b"free"  # so that players pass over it
            clean[begin:end] = bytes(end - begin)
        elif kind in _DATED and end - begin >= 4:
            upto = min(end, begin + 4 + (16 if clean[begin] == 1 else 8))
            clean[begin + 4 : upto] = bytes(upto - begin - 4)
    return bytes(clean)


def _boxes(data: bytearray, at: int, limit: int, depth: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Every box: its kind, where it begins, where its content does, and where it ends."""
    while at + 8 <= limit:
        size, kind, begin = int.from_bytes(data[at : at + 4]), bytes(data[at + 4 : at + 8]), at + 8
        if size == 1:  # the length does not fit into four bytes
            begin = at + 16
            size = int.from_bytes(data[at + 8 : begin])
        end = limit if size == 0 else min(at + size, limit)
        if end < begin:
            return
        yield kind, at, begin, end
        if kind in _WITHIN and depth > 0:
            yield from _boxes(data, begin, end, depth - 1)
        at = end
