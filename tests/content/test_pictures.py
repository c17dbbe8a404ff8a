"""Photos lose everything but their pixels, and files are what they contain, not what they are called."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from content.pictures import KEPT_SIDE, MAX_BYTES, MAX_PIXELS, MAX_SIDE, PictureError, clean_photo, qr_png, sniff
from content.sheets import Sheet, write_workbook

RED, BLUE = (220, 30, 30), (30, 30, 220)


def photo(size: tuple[int, int] = (40, 20), kind: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    """Left half red, right half blue."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, *size))
    buffer = io.BytesIO()
    picture.convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=("JPEG",)).convert("RGB")


def looks_like(pixel: Any, colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=True))


def kind_of_problem(data: bytes) -> str:
    with pytest.raises(PictureError) as error:
        clean_photo(data)
    return error.value.kind


def with_gps(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "MAYANH"
    exif.get_ifd(0x8825).update({1: "N", 2: (20.0, 49.0, 1.0)})
    return exif


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_only_pixels_are_left_of_a_photo(kind: str) -> None:
    options: dict[str, Any] = {"exif": with_gps(), "icc_profile": b"HOSOMAU" * 20}
    dirty = photo(kind=kind, **options) + b"DUOITEP"
    if kind == "JPEG":
        dirty = dirty[:2] + b"\xff\xfe\x00\x0aLOIBINH\x00" + dirty[2:]
    assert b"MAYANH" in dirty
    cleaned = clean_photo(dirty)
    picture = Image.open(io.BytesIO(cleaned))
    assert picture.format == "JPEG"
    assert not picture.getexif()
    assert not {"exif", "icc_profile", "comment", "xmp", "photoshop"} & set(picture.info)
    assert not [trace for trace in (b"MAYANH", b"HOSOMAU", b"DUOITEP", b"LOIBINH", b"Exif", b"ICC") if trace in cleaned]
    assert looks_like(opened(cleaned).getpixel((5, 10)), RED) and looks_like(opened(cleaned).getpixel((35, 10)), BLUE)


@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [(1, (40, 20), (5, 10)), (3, (40, 20), (35, 10)), (6, (20, 40), (10, 5)), (8, (20, 40), (10, 35))],
)
def test_a_photo_taken_sideways_stands_upright(
    orientation: int, size: tuple[int, int], red_at: tuple[int, int]
) -> None:
    picture = opened(clean_photo(photo(exif=with_gps(orientation))))
    assert picture.size == size
    assert looks_like(picture.getpixel(red_at), RED)


@pytest.mark.parametrize(
    ("size", "kept"),
    [((5000, 2500), (2000, 1000)), ((1500, 6000), (500, 2000)), ((2000, 2000), (2000, 2000)), ((7, 3), (7, 3))],
)
def test_a_large_photo_is_made_smaller_and_a_small_one_is_left(size: tuple[int, int], kept: tuple[int, int]) -> None:
    assert opened(clean_photo(photo(size))).size == kept


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_unusual_jpegs_are_taken(mode: str) -> None:
    assert opened(clean_photo(photo(mode=mode))).size == (40, 20)


@pytest.mark.parametrize("mode", ["P", "LA", "RGBA", "1", "I;16"])
def test_unusual_pngs_are_taken(mode: str) -> None:
    if mode == "I;16":
        buffer = io.BytesIO()
        Image.new("I;16", (40, 20), 65535).save(buffer, "PNG")
        assert looks_like(opened(clean_photo(buffer.getvalue())).getpixel((1, 1)), (255, 255, 255))
    else:
        assert opened(clean_photo(photo(kind="PNG", mode=mode))).size == (40, 20)


@pytest.mark.parametrize("size", [(40, 20), (9_000, 60)])
def test_sixteen_bits_of_grey_keep_their_shades(size: tuple[int, int]) -> None:
    row = b"\x00\x20" * (size[0] // 2) + b"\x00\xe0" * (size[0] // 2)
    buffer = io.BytesIO()
    Image.frombytes("I;16", size, row * size[1]).save(buffer, "PNG")
    cleaned = opened(clean_photo(buffer.getvalue()))
    assert looks_like(cleaned.getpixel((1, 1)), (0x20,) * 3)
    assert looks_like(cleaned.getpixel((cleaned.width - 2, 1)), (0xE0,) * 3)


def test_what_is_transparent_becomes_white_paper() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(buffer, "PNG")
    assert looks_like(opened(clean_photo(buffer.getvalue())).getpixel((9, 9)), (255, 255, 255))


def test_of_a_moving_picture_the_first_one_is_kept() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE)]
    for kind in ("PNG", "WEBP"):
        buffer = io.BytesIO()
        frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=100)
        assert looks_like(opened(clean_photo(buffer.getvalue())).getpixel((9, 9)), RED)


def png_of(width: int, height: int) -> bytes:
    """A well-formed PNG of one bit a pixel whose rows compress to almost nothing: a decompression bomb."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(1 + (width + 7) // 8)) for _ in range(height)) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_a_bomb_is_refused_by_its_header_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    for size in ((6400, 6400), (12_001, 1), (1, 12_001), (9700, 9700), (13_000, 13_000)):
        bomb = png_of(*size)
        assert len(bomb) < 30_000
        assert kind_of_problem(bomb) == "too_big"


def test_the_largest_photo_allowed_is_taken() -> None:
    assert max(opened(clean_photo(png_of(12_000, 3_333))).size) == KEPT_SIDE


def test_a_bomb_is_still_refused_if_our_own_check_were_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("content.pictures.MAX_PIXELS", 10**12)
    monkeypatch.setattr("content.pictures.MAX_SIDE", 10**12)
    assert kind_of_problem(png_of(6400, 6400)) == "too_big"
    assert kind_of_problem(png_of(13_000, 13_000)) == "too_big"


def test_the_limits_are_the_promised_ones() -> None:
    assert (MAX_BYTES, MAX_PIXELS, MAX_SIDE, KEPT_SIDE) == (20 * 1024 * 1024, 40_000_000, 12_000, 2_000)


def test_a_file_that_is_too_heavy_is_refused_unread() -> None:
    assert kind_of_problem(photo() + bytes(MAX_BYTES)) == "too_big"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_cut_short_is_broken(kind: str) -> None:
    whole = photo((400, 300), kind)
    assert kind_of_problem(whole[: len(whole) * 2 // 3]) == "broken"


@pytest.mark.parametrize("data", [b"", b"xin chao", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_picture_says_so(data: bytes) -> None:
    assert kind_of_problem(data) == "not_a_picture"


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_other_kinds_of_pictures_are_not_opened(kind: str) -> None:
    assert kind_of_problem(photo(kind=kind)) == "not_a_picture"


WHOLE = [photo((30, 30), kind) for kind in ("JPEG", "PNG", "WEBP")]


@settings(deadline=None)
@given(st.sampled_from(WHOLE), st.dictionaries(st.integers(0, 600), st.integers(0, 255), min_size=1, max_size=6))
def test_a_damaged_photo_is_cleaned_or_refused_and_nothing_else(whole: bytes, damage: dict[int, int]) -> None:
    data = bytearray(whole)
    for place, byte in damage.items():
        data[place % len(data)] = byte
    try:
        cleaned = clean_photo(bytes(data))
    except PictureError:
        return
    assert opened(cleaned).size


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return buffer.getvalue()


PDF = b"%PDF-1.7\n1 0 obj\n"
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(200)


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (photo(), "a.jpg", "photo"),
        (photo(kind="PNG"), "a.pdf", "photo"),
        (photo(kind="WEBP"), "", "photo"),
        (photo(kind="GIF"), "a.jpg", "other"),
        (PDF, "a.jpg", "pdf"),
        (MP4, "phim", "mp4"),
        (write_workbook([Sheet("A", ["a"], [])]), "a.docx", "xlsx"),
        (zipped("[Content_Types].xml", "word/document.xml"), "a.xlsx", "docx"),
        (zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "a.docx", "other"),
        (zipped("[Content_Types].xml", "word/document.xml", "xl/workbook.xml"), "a.docx", "other"),
        (zipped("word/document.xml"), "a.docx", "other"),
        (zipped("a.txt"), "a.xlsx", "other"),
        (b"PK\x03\x04 hong", "a.docx", "other"),
        (b"MZ\x90\x00" + bytes(100), "a.jpg", "other"),
        (b"<html><script>", "a.pdf", "other"),
        (b"", "a.jpg", "other"),
        (PDF, "thong-bao.pdf.exe", "other"),
        (PDF, "thong-bao.HTML", "other"),
        (PDF, "thong-bao.exe. ", "other"),
    ],
)
def test_a_file_is_what_it_contains(data: bytes, name: str, kind: str) -> None:
    assert sniff(data, name) == kind


@given(st.binary() | st.binary().map(b"PK\x03\x04".__add__), st.text())
def test_any_bytes_are_some_kind_of_file(data: bytes, name: str) -> None:
    assert sniff(data, name)


@pytest.mark.parametrize("url", ["https://t.me/vi_du_bot?start=u-AB12cd", "https://vi-du.vn/" + "a" * 400])
def test_a_qr_code_is_large_and_carries_the_address(url: str) -> None:
    picture = Image.open(io.BytesIO(qr_png(url))).convert("L")
    wanted = [list(row) for row in segno.make_qr(url, error="m").matrix_iter()]
    side = picture.size[0]
    assert picture.size == (side, side) and 600 <= side < 1000 and side % len(wanted) == 0
    scale = side // len(wanted)
    seen = [[picture.getpixel((x * scale, y * scale)) < 128 for x in range(len(wanted))] for y in range(len(wanted))]
    assert seen == [[bool(dark) for dark in row] for row in wanted]
    assert not any(any(row) for row in seen[:4])


def test_an_address_too_long_for_a_code_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        qr_png("a" * 5000)
