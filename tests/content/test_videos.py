"""Videos keep picture and sound, and nothing that a telephone wrote beside them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from content.videos import without_notes

PLACE = b"+10.7769+106.7009/"
FRAMES = bytes(range(256)) * 4


def box(kind: bytes, *content: bytes, long: bool = False) -> bytes:
    inside = b"".join(content)
    if long:
        return (1).to_bytes(4) + kind + (len(inside) + 16).to_bytes(8) + inside
    return (len(inside) + 8).to_bytes(4) + kind + inside


def head(kind: bytes, version: int, hour: bytes, rest: bytes) -> bytes:
    """A box with hours: made and changed are `hour` twice."""
    return box(kind, bytes([version, 0, 0, 7]), hour, hour, rest)


def film(*, long: bool = False) -> bytes:
    """A film as telephones write it: the place once as Android has it, once as an iPhone has."""
    android = box(b"udta", box(b"\xa9xyz", b"\x00\x12\x15\xc7" + PLACE), box(b"auth", "Nguyễn Thị Hoa".encode()))
    iphone = box(b"meta", box(b"hdlr", bytes(12)), box(b"ilst", b"com.apple.quicktime.location.ISO6709" + PLACE))
    track = box(
        b"trak",
        head(b"tkhd", 1, b"HOURHOUR", bytes(80)),
        box(b"mdia", head(b"mdhd", 0, b"HOUR", bytes(16)), box(b"minf", box(b"stbl", b"stco" + bytes(40)))),
        box(b"udta", b"Galaxy A05"),
    )
    moov = box(b"moov", head(b"mvhd", 0, b"HOUR", bytes(88)), track, android, iphone, long=long)
    return b"".join(
        [
            box(b"ftyp", b"mp42\x00\x00\x00\x00isom"),
            box(b"uuid", bytes(16) + b"<x:xmpmeta>Hoa</x:xmpmeta>"),
            box(b"mdat", FRAMES),
            moov,
            box(b"skip", PLACE),
        ]
    )


SECRETS = (PLACE, b"HOUR", b"Galaxy", b"Hoa", "Nguyễn".encode(), b"quicktime")


def test_place_device_and_hour_are_gone_and_picture_and_sound_untouched() -> None:
    for data in (film(), film(long=True), film() + (0).to_bytes(4) + b"udta" + PLACE):
        clean = without_notes(data)
        assert not [secret for secret in SECRETS if secret in clean]
        assert len(clean) == len(data)  # or the tables in it would point elsewhere
        at = data.index(FRAMES)
        assert clean[at : at + len(FRAMES)] == FRAMES
        assert b"stco" + bytes(40) in clean and b"\x00\x00\x00\x07" in clean
        assert without_notes(clean) == clean


@given(st.data())
def test_a_damaged_film_loses_no_byte_and_breaks_nothing(data: st.DataObject) -> None:
    broken = bytearray(film(long=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(broken[: data.draw(st.integers(0, len(broken)))])
    assert len(without_notes(cut)) == len(cut)


def test_a_film_cut_short_gives_nothing_away_either() -> None:
    whole = film()
    for end in range(len(whole)):
        clean = without_notes(whole[:end])
        assert not [secret for secret in SECRETS if secret in clean], end


def test_boxes_within_boxes_and_very_many_of_them_end() -> None:
    deep = b""
    for _ in range(2000):
        deep = box(b"moov", deep)
    assert len(without_notes(deep)) == len(deep)
    many = box(b"moov", (8).to_bytes(4) * 2 * 500_000)
    assert len(without_notes(many)) == len(many)
