"""T19: files made to harm whoever opens them: nothing of theirs but pixels stays, and only the process that looked dies."""

from __future__ import annotations

import io
import signal
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from content import apart
from content.apart import clean_photo_apart
from content.pictures import KEPT_SIDE, MAX_BYTES, PictureError, clean_photo, sniff
from content.sheets import Sheet, write_workbook
from tests.prove import cases, note

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")
CANARY = b"CHIM-HOANG-YEN"
TEXT = CANARY.decode()


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def photo(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise(size, 80)] * 3).convert(mode)


def exif() -> Image.Exif:
    found = Image.Exif()
    found[0x010E] = found[0x010F] = found[0x9286] = TEXT
    found[0x0112] = 6
    found.get_ifd(0x8825).update({1: "N", 2: (20.0, 49.0, 1.0), 29: TEXT})
    return found


def segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg_with(*segments: bytes, tail: bytes = b"") -> bytes:
    plain = saved(photo(), "JPEG")
    return plain[:2] + b"".join(segments) + plain[2:] + tail


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with(*chunks: bytes, tail: bytes = b"") -> bytes:
    plain = saved(photo(), "PNG")
    return plain[:33] + b"".join(chunks) + plain[33:] + tail


def png_of(width: int, height: int, bits: int = 8, colour: int = 2, data: bytes | None = None) -> bytes:
    """A PNG of one value, packed as small as can be, whatever its size."""
    row = 1 + (width * bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] + 7) // 8
    packer = zlib.compressobj(9)
    body = data if data is not None else b"".join(packer.compress(bytes(row)) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    palette = chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + palette + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def jpeg_claiming(width: int, height: int) -> bytes:
    """A small JPEG whose header says that it is large."""
    plain = bytearray(saved(photo(), "JPEG"))
    at = plain.index(b"\xff\xc0") + 5
    plain[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(plain)


def many_scans() -> bytes:
    """A progressive JPEG whose last scan comes again a thousand times: little to read, much to decode."""
    plain = saved(Image.new("RGB", (6000, 6000)), "JPEG", progressive=True)
    last = plain.rindex(b"\xff\xda")
    return plain[:-2] + plain[last:-2] * 1_000 + plain[-2:]


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def moving(kind: str, **options: Any) -> bytes:
    return saved(photo(), kind, save_all=True, append_images=[photo() for _ in range(8)], **options)


SVG = f'<svg xmlns="http://www.w3.org/2000/svg"><script>{TEXT}</script></svg>'.encode()
HTML = f"<html><script>{TEXT}</script></html>".encode()
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{TEXT}</x:xmpmeta>'.encode()
CLEANED, BIG, REFUSED = "cleaned", "too_big", "refused"
"""Of what is refused, whether it is broken or no picture depends on the decoder."""
PHOTOS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a plain JPEG": (lambda: saved(photo(), "JPEG"), CLEANED),
    "a JPEG with EXIF": (lambda: saved(photo(), "JPEG", exif=exif()), CLEANED),
    "a PNG with EXIF": (lambda: saved(photo(), "PNG", exif=exif()), CLEANED),
    "a WebP with EXIF": (lambda: saved(photo(), "WEBP", exif=exif()), CLEANED),
    "a JPEG with a profile": (lambda: saved(photo(), "JPEG", icc_profile=CANARY * 20), CLEANED),
    "a PNG with a profile": (lambda: saved(photo(), "PNG", icc_profile=CANARY * 20), CLEANED),
    "a WebP with a profile": (lambda: saved(photo(), "WEBP", icc_profile=CANARY * 20), CLEANED),
    "a JPEG with XMP": (lambda: saved(photo(), "JPEG", xmp=XMP), CLEANED),
    "a WebP with XMP": (lambda: saved(photo(), "WEBP", xmp=XMP), CLEANED),
    "a PNG with XMP": (lambda: png_with(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)), CLEANED),
    "a JPEG with a comment": (lambda: jpeg_with(segment(0xFE, CANARY)), CLEANED),
    "a JPEG with ten comments": (lambda: jpeg_with(*[segment(0xFE, CANARY * 99)] * 10), CLEANED),
    "a JPEG with IPTC": (lambda: jpeg_with(segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x0e" + CANARY)), CLEANED),
    "a JPEG with a thumbnail": (lambda: jpeg_with(segment(0xE0, b"JFXX\0\x10" + CANARY)), CLEANED),
    "a JPEG of several pictures": (lambda: jpeg_with(segment(0xE2, b"MPF\0II*\0\x08\0\0\0\xff\xff" + CANARY)), CLEANED),
    "a JPEG with segments of every kind": (lambda: jpeg_with(*(segment(0xE0 + n, CANARY) for n in range(1, 16) if n not in (2, 13, 14))), CLEANED),
    "a JPEG with a tail": (lambda: jpeg_with(tail=CANARY * 9_999), CLEANED),
    "a PNG with texts": (lambda: png_with(chunk(b"tEXt", b"Comment\0" + CANARY), chunk(b"zTXt", b"Author\0\0" + zlib.compress(CANARY))), CLEANED),
    "a PNG with a private chunk": (lambda: png_with(chunk(b"prVt", CANARY * 99)), CLEANED),
    "a PNG with a time and a size": (lambda: png_with(chunk(b"tIME", b"\x07\xe9\x07\x19\x10\x37\0"), chunk(b"pHYs", bytes(9))), CLEANED),
    "a PNG with a tail": (lambda: png_with(tail=CANARY), CLEANED),
    "a JPEG that is a page": (lambda: jpeg_with(segment(0xFE, HTML), tail=HTML), CLEANED),
    "a JPEG that is an archive": (lambda: jpeg_with(tail=zipped(a=CANARY)), CLEANED),
    "a PNG that is a paper": (lambda: png_with(tail=b"%PDF-1.4 " + CANARY), CLEANED),
    "a JPEG that is a script": (lambda: jpeg_with(segment(0xFE, b"<?php " + CANARY + b"?>")), CLEANED),
    "a JPEG for printing": (lambda: saved(photo("CMYK"), "JPEG"), CLEANED),
    "a grey JPEG": (lambda: saved(photo("L"), "JPEG"), CLEANED),
    "a JPEG in many passes": (lambda: saved(photo(), "JPEG", progressive=True), CLEANED),
    "a PNG of two colours": (lambda: saved(photo("1"), "PNG"), CLEANED),
    "a PNG of a palette": (lambda: saved(photo("P"), "PNG", transparency=3), CLEANED),
    "a PNG of grey and glass": (lambda: saved(photo("LA"), "PNG"), CLEANED),
    "a PNG of sixteen bits": (lambda: png_of(64, 48, bits=16), CLEANED),
    "a PNG of sixteen bits of grey and glass": (lambda: png_of(64, 48, bits=16, colour=4), CLEANED),
    "a large PNG of sixteen bits of grey": (lambda: png_of(8_000, 5_000, bits=16, colour=0), CLEANED),
    "a moving PNG": (lambda: moving("PNG", duration=40), CLEANED),
    "a moving WebP": (lambda: moving("WEBP", duration=40), CLEANED),
    "a picture of one point": (lambda: saved(photo(size=(1, 1)), "PNG"), CLEANED),
    "a very long strip": (lambda: png_of(12_000, 1), CLEANED),
    "as many points as are taken": (lambda: png_of(8_000, 5_000, colour=6), CLEANED),
    "a few too many points": (lambda: png_of(8_000, 5_001), BIG),
    "a strip too long": (lambda: png_of(12_001, 1), BIG),
    "a hundred and sixty-nine megapixels": (lambda: png_of(13_000, 13_000, bits=1, colour=0), BIG),
    "a PNG that claims a world": (lambda: png_of(2**31 - 1, 2**31 - 1, data=zlib.compress(b"\0")), BIG),
    "a PNG that claims more than it holds": (lambda: png_of(6_000, 6_000, data=zlib.compress(bytes(99))), REFUSED),
    "a JPEG that claims a world": (lambda: jpeg_claiming(65_500, 65_500), BIG),
    "a JPEG that claims nothing": (lambda: jpeg_claiming(0, 0), REFUSED),
    "texts that unpack to a gigabyte": (lambda: png_with(*[chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**26), 9))] * 16), REFUSED),
    "a profile that unpacks to a gigabyte": (lambda: png_with(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2**27), 9))), REFUSED),
    "a JPEG cut in the head": (lambda: saved(photo(), "JPEG")[:100], REFUSED),
    "a JPEG cut in the middle": (lambda: saved(photo(), "JPEG")[:-900], REFUSED),
    "a PNG cut in the middle": (lambda: saved(photo(), "PNG")[:-900], REFUSED),
    "a WebP cut in the middle": (lambda: saved(photo(), "WEBP")[:-900], REFUSED),
    "a GIF": (lambda: saved(photo(), "GIF"), REFUSED),
    "a TIFF": (lambda: saved(photo(), "TIFF"), REFUSED),
    "an icon": (lambda: saved(photo(), "ICO"), REFUSED),
    "a BMP": (lambda: saved(photo(), "BMP"), REFUSED),
    "PostScript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n" + CANARY, REFUSED),
    "a drawing": (lambda: SVG, REFUSED),
    "a drawing that begins like a PNG": (lambda: b"\x89PNG\r\n\x1a\n" + SVG, REFUSED),
    "a page that begins like a JPEG": (lambda: b"\xff\xd8\xff" + HTML, REFUSED),
    "a WebP that holds nothing": (lambda: b"RIFF\xff\xff\xff\xffWEBPVP8X" + bytes(30), REFUSED),
    "nothing": (lambda: b"", REFUSED),
    "zeros": (lambda: bytes(10_000), REFUSED),
    "more bytes than are taken": (lambda: bytes(MAX_BYTES + 1), BIG),
}  # fmt: skip


def outcome(clean: Callable[[bytes], bytes], data: bytes) -> str:
    """What becomes of a file; what stays of it is pixels alone."""
    try:
        cleaned = clean(data)
    except PictureError as error:
        return BIG if error.kind == "too_big" else REFUSED
    assert CANARY not in cleaned and b"Exif" not in cleaned and b"ICC_PROFILE" not in cleaned and b"http" not in cleaned
    with Image.open(io.BytesIO(cleaned)) as picture:
        picture.load()
        assert (picture.format, picture.mode) == ("JPEG", "RGB") and max(picture.size) <= KEPT_SIDE
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    return CLEANED


APART = (
    "a plain JPEG",
    "as many points as are taken",
    "a profile that unpacks to a gigabyte",
    "a drawing",
    "a JPEG cut in the middle",
)


@pytest.mark.parametrize("name", PHOTOS)
def test_of_a_hostile_photo_pixels_stay_or_nothing(name: str) -> None:
    make, expected = PHOTOS[name]
    assert outcome(clean_photo_apart if name in APART else clean_photo, make()) == expected


def test_only_the_process_that_looks_at_it_is_ended_by_what_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "WORK", 1)
    assert outcome(clean_photo_apart, many_scans()) == BIG


def test_only_the_process_that_looks_at_it_lacks_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    large = png_of(4_000, 3_000)
    assert outcome(clean_photo_apart, large) == CLEANED
    monkeypatch.setattr(apart, "MEMORY", 90 * 2**20)
    assert outcome(clean_photo_apart, large) == BIG


@pytest.mark.parametrize("end", ["os.abort()", "os.kill(os.getpid(), 11)", "os.kill(os.getpid(), 9)", "raise KeyError"])
def test_however_a_decoder_ends_its_process_ours_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: str
) -> None:
    """As if it had been taken over: it sees no secret of ours, and what it does to itself is an answer."""
    looks = tmp_path / "looks.py"
    looks.write_text(
        f"#!{sys.executable}\nimport os, sys\nsys.stdin.buffer.read()\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write(repr(dict(os.environ)))\n{end}\n"
    )
    looks.chmod(0o700)
    monkeypatch.setenv("CONGDOAN_TELEGRAM_TOKEN", TEXT)
    monkeypatch.setattr(sys, "executable", str(looks))
    with pytest.raises(RuntimeError if end == "raise KeyError" else PictureError):
        clean_photo_apart(b"x")
    assert TEXT not in (tmp_path / "seen").read_text()


def test_the_process_may_have_what_was_promised_and_writes_no_file(tmp_path: Path) -> None:
    assert apart.MEMORY <= 512 * 2**20 and apart.WORK <= 10
    script = (
        f"from content import apart; written = {str(tmp_path / 'written')!r};"
        "apart.clean_photo = lambda _: open(written, 'wb', 0).write(b'x') and b'';"
        f"apart._main({apart.MEMORY}, {apart.WORK})"
    )
    done = subprocess.run([sys.executable, "-c", script], input=b"", capture_output=True, check=False)
    assert done.returncode == -signal.SIGXFSZ or b"File too large" in done.stderr


SEEDS = ("a JPEG with EXIF", "a PNG with texts", "a WebP with EXIF", "a JPEG in many passes", "a moving WebP", "a PNG of a palette",
         "a JPEG for printing", "a PNG of grey and glass", "a moving PNG", "a JPEG of several pictures")  # fmt: skip
EDGES = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\x7f\xff\xff\xff",
    b"\xff\xd8",
    b"\xff\xda",
    b"IDAT",
    b"VP8X",
)


def mutated(data: bytes, chance: Random) -> bytes:
    """A file with a few things done to it: bytes changed, cut out, doubled, moved, ended early."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(max(1, min(len(found), chance.choice((64, 400, len(found) or 1)))))
        length = chance.choice((1, 1, 2, 4, 30, 500))
        match chance.randrange(6):
            case 0:
                found[at : at + 1] = chance.randbytes(1)
            case 1:
                edge = chance.choice(EDGES)
                found[at : at + len(edge)] = edge
            case 2:
                del found[at : at + length]
            case 3:
                found[at:at] = found[at : at + length] * chance.choice((1, 2, 50))
            case 4:
                other = chance.randrange(len(found) or 1)
                found[at : at + length], found[other : other + length] = (
                    found[other : other + length],
                    found[at : at + length],
                )
            case _:
                if chance.random() < 0.3:
                    del found[at:]
    return bytes(found)


def test_a_mutated_photo_is_cleaned_or_refused_and_nothing_else() -> None:
    """Most of them here, where a decoder that dies takes the test along; every twentieth as the bot does it."""
    whole = [PHOTOS[name][0]() for name in SEEDS]
    for number in cases(100):
        chance = Random(number)
        data = mutated(chance.choice(whole), chance)
        try:
            ended = outcome(clean_photo if number % 20 else clean_photo_apart, data)
        except BaseException as error:
            error.add_note(f"case {number}")
            raise
        note(files=1, **{ended: 1})
        assert sniff(data, "anh.jpg") in ("photo", "other", "pdf", "mp4")


# ---------------------------------------------------------------------------------------------------- tables


BOOK = write_workbook([Sheet("a", ["Mã", "Tên"], [["A1", "Công ty"], ["A2", "Trường"]])])
READ = "read"


def book(**changed: bytes) -> bytes:
    """A workbook with parts changed or added; in a name, `__` stands for a slash and `_x` for .xml."""
    parts = {name.replace("__", "/").replace("_x", ".xml"): data for name, data in changed.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.pop(name, None) or old.read(name))
        for name, data in parts.items():
            new.writestr(name, data)
    return buffer.getvalue()


def cells(inside: str) -> bytes:
    head = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    )
    return f"{head}{inside}</sheetData></worksheet>".encode()


LAUGHS = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
TABLES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a workbook": (lambda: BOOK, READ),
    "a billion laughs": (
        lambda: book(xl__sharedStrings_x=f'<!DOCTYPE a [<!ENTITY a0 "ha">{LAUGHS}]><sst><si><t>&a9;</t></si></sst>'.encode()), "broken"),
    "laughs in the sheet": (
        lambda: book(xl__worksheets__sheet1_x=f'<!DOCTYPE a [<!ENTITY a0 "1">{LAUGHS}]>'.encode() + cells('<row r="1"><c r="A1"><v>&a9;</v></c></row>')[21:]), "broken"),
    "a file of ours by reference": (
        lambda: book(xl__sharedStrings_x=b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><sst><si><t>&x;</t></si></sst>'), "broken"),
    "a sheet that unpacks to a gigabyte": (lambda: book(xl__worksheets__sheet1_x=cells(" " * 2**27)), "too_big"),
    "a hundred parts of a megabyte each": (lambda: book(**{f"xl__media__{n}": bytes(2**20 + 9) for n in range(100)}), "too_big"),
    "four hundred thousand rows": (
        lambda: book(xl__worksheets__sheet1_x=cells("".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(1, 400_000)))), "too_big"),
    "a million columns": (lambda: book(xl__worksheets__sheet1_x=cells(f'<row r="1">{"<c><v>1</v></c>" * 1_000_000}</row>')), "too_big"),
    "a cell at the end of the world": (lambda: book(xl__worksheets__sheet1_x=cells('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')), "too_big"),
    "a cell beyond the world": (lambda: book(xl__worksheets__sheet1_x=cells('<row r="99999999999"><c r="ZZZZZZZZ99999999999"><v>1</v></c></row>')), "too_big"),
    "a cell of no place": (lambda: book(xl__worksheets__sheet1_x=cells('<row r="-1"><c r="A-1"><v>1</v></c></row>')), "broken"),
    "rows that go back": (lambda: book(xl__worksheets__sheet1_x=cells('<row r="9"><c r="A9"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>')), "any"),
    "a text that is not there": (lambda: book(xl__worksheets__sheet1_x=cells('<row r="1"><c r="A1" t="s"><v>4294967295</v></c></row>')), "any"),
    "elements in one another": (lambda: book(xl__worksheets__sheet1_x=b"<a>" * 500_000), "any"),
    "attributes without end": (lambda: book(xl__worksheets__sheet1_x=b"<worksheet " + b"".join(b'a%d="" ' % n for n in range(100_000)) + b"/>"), "any"),
    "a sheet in UTF-16": (lambda: book(xl__worksheets__sheet1_x=cells("").decode().encode("utf-16")), "any"),
    "a name that climbs": (lambda: book(**{"../../a_x": b"<a/>"}), READ),
    "a zip in a zip": (lambda: zipped(a=BOOK), "not_a_table"),
    "a document": (lambda: zipped(**{"[Content_Types].xml": b"<a/>", "word/document.xml": b"<a/>" * 2**20}), "not_a_table"),
    "half a workbook": (lambda: BOOK[: len(BOOK) // 2], "broken"),
    "a workbook that begins twice": (lambda: BOOK[:500] + BOOK, "any"),
    "nothing": (lambda: b"", "empty"),
    "NULs": (lambda: b"a,b\0\n1,2", "not_a_table"),
    "only a mark of order": (lambda: b"\xef\xbb\xbf", "empty"),
    "a mark of order in the middle": (lambda: "a,b\n\ufeffc,d".encode(), READ),
    "UTF-16": (lambda: "a;b\n1;2".encode("utf-16"), READ),
    "half of UTF-16": (lambda: "a;b\n1;2".encode("utf-16")[:-1], "any"),
    "UTF-32": (lambda: "a;b\n1;2".encode("utf-32"), "any"),
    "a quote without end": (lambda: b'a,b\n"' + b"x" * 9_000_000, "broken"),
    "a line of nine megabytes": (lambda: b"x" * 9_000_000, "any"),
    "commas alone": (lambda: b"," * 9_000_000, "too_big"),
    "line ends alone": (lambda: b"\n" * 9_000_000, "any"),
    "marks piled up": (lambda: ("e" + "\u0301" * 4_000_000).encode()[:9_000_000], "any"),
    **{f"told to part at {sign!r}": ((lambda sign=sign: f"sep={sign}\na{sign}b\n1{sign}2".encode()), "any") for sign in '"\'\r\0 \t|^a1é\u2028'},
}  # fmt: skip
LOOKS = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (512 * 2**20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from content.sheets import SheetError, read_table
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        table = read_table(path)
        print(path.name, "read", flush=True)
        assert "root:" not in str(table)
    except SheetError as error:
        print(path.name, error.kind, flush=True)
"""


def test_of_a_hostile_table_one_hears_why_it_cannot_be_read(tmp_path: Path) -> None:
    """In a process with 512 MB: as small as a server may be on which `congdoan units import` runs."""
    names = dict(enumerate(TABLES))
    for number, name in names.items():
        (tmp_path / f"{number:03}").write_bytes(TABLES[name][0]())
    done = subprocess.run([sys.executable, "-c", LOOKS, str(tmp_path)], capture_output=True, text=True, check=False)
    said = {names[int(line.split()[0])]: line.split()[1] for line in done.stdout.splitlines()}
    assert done.returncode == 0, (list(said.items())[-1:], done.stderr[-800:])
    for name, (_, expected) in TABLES.items():
        assert expected in ("any", said[name]), (name, said[name])
