"""Notices what should not be sent: identity papers, secrets, and slips in a broadcast."""

from __future__ import annotations

import re
import unicodedata

from content.text.folding import fold, may_stand_for

_PAPERS = (
    "căn cước", "cccd", "cmnd", "cmtnd", "chứng minh nhân dân", "chứng minh thư", "hộ chiếu", "passport", "vneid",
    "thẻ ngân hàng", "thẻ atm", "thẻ tín dụng", "thẻ visa", "số thẻ", "số tài khoản", "otp",
)  # fmt: skip
# Twelve digits built like a citizen's number: a place's code, then the digit of sex and century, then a year.
_IDENTITY_NUMBER = re.compile(
    r"(?<![\d.,])(?<!\d[ .-])0(?:0[1-9]|[1-8]\d|9[0-6])[ .]?[0-3]\d{2}[ .]?\d{3}[ .]?\d{3}(?![ .,-]?\d)"
)
_NAMED_IDENTITY_NUMBER = re.compile(
    r"\b(?:can cuoc|cccd|cmnd|cmtnd|chung minh)\b\D{0,30}((?:\d ?){8}(?:(?:\d ?){3})?\d)(?!\d)"
)
_OTP = re.compile(r"\b(?:otp|ma xac thuc)\b(?:[ :=.-]|\b(?:la|cua toi|cua em|day)\b)*\d(?:[ -]?\d){3,7}(?!\d)")
# Only beside its name: a receipt of an anonymous concern has sixteen digits too.
_CARD_NUMBER = re.compile(
    r"\b(?:so the|the ngan hang|the tin dung|atm|visa|mastercard)\b\D{0,30}(\d{4}(?:[ -]?\d{4}){3}\d{0,3})(?!\d)"
)


def looks_like_identity_card(text: str, caption: bool) -> bool:
    """Whether this shows or names identity papers, a bank card or a one-time code, which nobody should send us.

    `caption=True` is for the caption or file name of a picture or file: naming such a paper is enough. In free text a
    word proves nothing ("công ty giữ căn cước của tôi" is a concern we must keep), so there the number itself must
    stand: twelve digits built like a citizen's number, nine or twelve after the paper's name, a code after "OTP",
    sixteen after "thẻ".
    """
    folded = fold(text)
    if caption:
        words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", text).lower())
        if any(_stands_in(words, paper.split()) for paper in _PAPERS):
            return True
    return bool(
        _IDENTITY_NUMBER.search(folded)
        or _NAMED_IDENTITY_NUMBER.search(folded)
        or _OTP.search(folded)
        or _CARD_NUMBER.search(folded)
    )


def _stands_in(words: list[str], phrase: list[str]) -> bool:
    # Word by word with marks, because "cần cuốc" is a hoe's handle and "căn cước" is not.
    spans = (words[start : start + len(phrase)] for start in range(len(words) - len(phrase) + 1))
    return any(all(map(may_stand_for, span, phrase)) for span in spans)


_STAMPS = ("MẬT", "TỐI MẬT", "TUYỆT MẬT")
_INTERNAL = "LƯU HÀNH NỘI BỘ"


def secrecy_stamps(text: str) -> list[str]:
    """The stamps of state secrets and internal circulation found in a text or a file name, each once.

    MẬT, TỐI MẬT, TUYỆT MẬT count only as a whole line in capitals with their marks (a file's ending is set aside), so
    honey ("mật ong") and "BẢO MẬT" pass; "lưu hành nội bộ" counts in any case, with or without marks.
    """
    lines = (
        " ".join(re.sub(r"\.\w{2,5}\s*$|[\W_]", " ", line).split())
        for line in unicodedata.normalize("NFC", text).split("\n")
    )
    stamped = set(lines)
    found = [stamp for stamp in _STAMPS if stamp in stamped]
    if fold(_INTERNAL) in " ".join(re.sub(r"[\W_]", " ", fold(text)).split()):
        found.append(_INTERNAL)
    return found


_ABBREVIATIONS = ("LĐLĐ", "TLĐ", "CĐCS", "NĐCS", "CNVCLĐ", "NLĐ", "TƯLĐTT", "ATVSLĐ", "TĐKT", "QHLĐ")
_MEANT = {fold(right): right for right in _ABBREVIATIONS}
# Bullets of office papers (➢ ✓ ❖) are no emoji: older symbols count only where phones draw them as pictures.
_OLD_PICTURES = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be"
    "\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757"
    "\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55"
)
_PICTOGRAM = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    f"|(?:[\U0001f300-\U0001f3fa\U0001f400-\U0001faff{_OLD_PICTURES}]|[\u203c-\u3299]\ufe0f|[0-9#*]\ufe0f?\u20e3)"
    "(?:\u200d[\U0001f300-\U0001faff\u2600-\u27bf]|[\U0001f3fb-\U0001f3ff\ufe0f])*"
)
_LINK = re.compile(
    r"(?:https?://|\bwww\.)[^\s<>\"]+"
    r"|(?<![@\w.-])(?:[a-z0-9-]+\.)+(?:vn|com|net|org|info|gov|edu|me|ly|gl|io)\b(?:/[^\s<>\"]*)?",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\d.,/-])(?:\+84|84|0)[ .-]?(?:2\d{1,2}[ .-]?(?:\d[ .-]?){6,7}\d|[35789](?:[ .-]?\d){8})(?!\d)"
)
_ACCOUNT = re.compile(r"\b(?:stk|tk|tai khoan|so the|the atm)\b\D{0,30}(\d(?:[ .-]?\d){5,18})(?!\d)")
MAX_EMOJI = 3
TRUSTED = ("gov.vn", "chinhphu.vn", "quochoi.vn", "congdoan.vn")
"""Sites of the state and of the trade union: links to them and to what lies below need no second look."""


def is_trusted(host: str) -> bool:
    """Whether a link's host is one an officer may send without being asked."""
    return any(host == site or host.endswith(f".{site}") for site in TRUSTED)


def broadcast_warnings(text: str) -> list[tuple[str, dict[str, str | int]]]:
    """What an officer should look at again before sending, as stable keys with their parameters, in reading order.

    `misprint` {found, meant} · `emoji` {count, allowed} · `all_caps` {} · `no_marks` {} · `identity` {found}
    · `phone` {found} · `bank_number` {found} · `link` {found, host}; the caller knows which hosts are allowed. Nothing
    here blocks.
    """
    text = unicodedata.normalize("NFC", text)
    warnings: list[tuple[str, dict[str, str | int]]] = []
    for word in dict.fromkeys(re.findall(r"[^\W\d_]+", text)):
        meant = _MEANT.get(fold(word))
        if meant and word.isupper() and word != meant:
            warnings.append(("misprint", {"found": word, "meant": meant}))
    count = len(_PICTOGRAM.findall(text))
    if count > MAX_EMOJI:
        warnings.append(("emoji", {"count": count, "allowed": MAX_EMOJI}))
    if _is_all_capitals(text):
        warnings.append(("all_caps", {}))
    if _is_without_marks(_LINK.sub(" ", text)):
        warnings.append(("no_marks", {}))
    links = [found.group().rstrip(".,;:!?)") for found in _LINK.finditer(text)]
    for link in dict.fromkeys(links):
        host = re.sub(r"^[a-z]+://", "", link.lower()).split("/")[0].split("@")[-1].split(":")[0]
        warnings.append(("link", {"found": link, "host": host.removeprefix("www.")}))
    return warnings + _personal_numbers(_LINK.sub(" ", text))


def _is_all_capitals(text: str) -> bool:
    cased = [letter for letter in text if letter.lower() != letter.upper()]
    return len(cased) >= 20 and sum(map(str.isupper, cased)) >= 0.9 * len(cased)


_SYLLABLE = re.compile(
    r"(?:ngh|[cgknpt]h|ng|gi|qu|tr|[bcdghklmnpqrstvx])?[aeiouy]{1,3}(?:ng|nh|ch|[cmnpt])?", re.IGNORECASE
)
UNMARKED = 10
"""From so many words on a text without marks is looked at: a name or a short line may well have none."""


def _is_without_marks(text: str) -> bool:
    """Whether this is Vietnamese typed without its marks: long, hardly any marks, and nearly all of it of its syllables.

    Three words of four have marks in a text that is typed with them; a foreign one is not made of such syllables.
    """
    words = re.findall(r"[^\W\d_]+", re.sub(r"\{[^{}]*\}", " ", text))  # what is filled in has marks of its own
    marked = sum(fold(word) != word.lower() for word in words)
    syllables = sum(bool(_SYLLABLE.fullmatch(word)) for word in words)
    return len(words) >= UNMARKED and marked <= len(words) // UNMARKED and syllables >= 0.8 * len(words)


_PERSONAL = (
    ("identity", _IDENTITY_NUMBER), ("identity", _NAMED_IDENTITY_NUMBER), ("bank_number", _CARD_NUMBER),
    ("bank_number", _ACCOUNT), ("phone", _PHONE),
)  # fmt: skip


def _personal_numbers(text: str) -> list[tuple[str, dict[str, str | int]]]:
    """Each number is reported once, as the most telling thing it can be: a citizen before an account before a phone."""
    folded = fold(text)
    found = [(key, number.strip(" .-")) for key, pattern in _PERSONAL for number in pattern.findall(folded)]
    seen: set[str] = set()
    warnings: list[tuple[str, dict[str, str | int]]] = []
    for key, number in found:
        digits = re.sub(r"\D", "", number)
        if not any(digits in other for other in seen):  # a phone inside an account number is that account
            seen.add(digits)
            warnings.append((key, {"found": number}))
    return warnings
