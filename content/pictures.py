"""Turns photos that people send into harmless ones, tells files apart by their content, and draws QR codes."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from typing import Final, Literal

import filetype
import segno
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES: Final = 20 * 2**20
MAX_PIXELS: Final = 40_000_000
MAX_SIDE: Final = 12_000
"""What is decoded at most: 20 KB of PNG can hold 169 megapixels, half a gigabyte once decoded (promises.md §2.2)."""
KEPT_SIDE: Final = 2_000
QUALITY: Final = 82

# Our own check comes first; these are the second lock, should a header lie.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

PictureKind = Literal["not_a_picture", "too_big", "broken"]


class PictureError(Exception):
    """Why a photo is refused; `kind` chooses the words said to the sender."""

    def __init__(self, kind: PictureKind) -> None:
        super().__init__(kind)
        self.kind: Final = kind


def clean_photo(data: bytes) -> bytes:
    """A JPEG made from the pixels alone: no EXIF, place, colour profile, comment or hidden tail; upright; on white.

    Takes JPEG, PNG and WebP (of moving ones, the first picture). The longest side becomes at most 2000 px. Raises
    `PictureError`: `not_a_picture`, `too_big` (20 MB, 40 megapixels, 12,000 px a side), `broken` (cut short, damaged).
    CPU-bound, up to a second. For a stranger's file there is `content.apart`.
    """
    if len(data) > MAX_BYTES:
        raise PictureError("too_big")
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as picture:
            if max(picture.size) > MAX_SIDE or math.prod(picture.size) > MAX_PIXELS:
                raise PictureError("too_big")
            return _jpeg(_pixels(picture))
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError("not_a_picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise PictureError("too_big") from error
    except Exception as error:  # decoders fail in a dozen ways on damaged data, none of them ours to tell apart
        raise PictureError("broken") from error


def _pixels(picture: Image.Image) -> Image.Image:
    picture.draft("RGB", (KEPT_SIDE, KEPT_SIDE))  # a large JPEG is decoded small at once
    picture.load()
    whole: Image.Image = picture
    if picture.mode.startswith("I"):  # sixteen bits of grey: converting alone would make white of all but the darkest
        whole = picture.point(lambda level: level / 256).convert("L")
        whole.info.pop("transparency", None)
    # Made small before it is turned: there may not be room for two whole ones.
    whole.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.LANCZOS)
    upright = ImageOps.exif_transpose(whole)
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        paper = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(paper, upright)
    return upright.convert("RGB")


def _jpeg(pixels: Image.Image) -> bytes:
    bare = Image.new("RGB", pixels.size)  # a new picture: whatever `info` carried stays behind
    bare.paste(pixels)
    buffer = io.BytesIO()
    bare.save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return buffer.getvalue()


FileKind = Literal["photo", "pdf", "mp4", "docx", "xlsx", "other"]
_KINDS: Final[dict[str, FileKind]] = {
    "image/jpeg": "photo",
    "image/png": "photo",
    "image/webp": "photo",
    "application/pdf": "pdf",
    "video/mp4": "mp4",
}
_OFFICE: Final[dict[str, FileKind]] = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx"}
# Names that a computer would run or show as a page, whatever is inside.
_RUN_BY_NAME: Final = (
    *(".exe", ".scr", ".com", ".bat", ".cmd", ".msi", ".js", ".vbs", ".ps1", ".lnk", ".apk", ".jar", ".hta"),
    *(".htm", ".html", ".svg", ".docm", ".xlsm", ".dotm", ".xltm"),
)


def sniff(data: bytes, filename: str) -> FileKind:
    """What a file is, by its content. A name never makes it more: it can only make it "other" (a PDF called .exe).

    Office files with macros are "other".
    """
    if filename.lower().rstrip(". ").endswith(_RUN_BY_NAME):
        return "other"
    if data.startswith(b"PK\x03\x04"):
        return _office_kind(data)
    found = filetype.guess(data)
    return _KINDS.get(found.mime, "other") if found else "other"


def _office_kind(data: bytes) -> FileKind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, UnicodeError):
        return "other"
    if "[Content_Types].xml" not in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        return "other"
    kinds = [kind for part, kind in _OFFICE.items() if part in names]
    return kinds[0] if len(kinds) == 1 else "other"


QR_SIDE: Final = 600


def qr_png(url: str) -> bytes:
    """A QR code as a PNG of at least 600 px a side with its quiet zone, readable when a seventh of it is dirty.

    Raises ValueError if the address is too long for one.
    """
    code = segno.make_qr(url, error="m")
    scale = math.ceil(QR_SIDE / code.symbol_size()[0])
    buffer = io.BytesIO()
    code.save(buffer, kind="png", scale=scale)
    return buffer.getvalue()
