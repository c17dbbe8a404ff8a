"""What a proofreader would mark in any text that is packed with the product."""

from __future__ import annotations

import re
import unicodedata

NEW_TONE = re.compile(r"\b\w*(?:o[àáảãạèéẻẽẹ]|(?<!q)u[ỳýỷỹỵ])\b", re.IGNORECASE)
"""Words with the tone on the last letter, where official papers put it on the one before. In "qu" the u is no vowel."""


def spelling(text: str) -> list[str]:
    """An empty text, letters in pieces, the tone mark in the new place, stray spaces."""
    if not text.strip():
        return ["empty"]
    faults = []
    if not unicodedata.is_normalized("NFC", text):
        faults.append("letters and marks are stored apart (not NFC): type the word anew")
    composed = unicodedata.normalize("NFC", text)
    faults += [f"'{word}' has its tone mark on the last letter (write hòa, hủy)" for word in NEW_TONE.findall(composed)]
    if " ".join(text.split()) != text:
        faults.append("spaces or line breaks too many")
    return faults
