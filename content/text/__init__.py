"""Reads and tidies what people type: one door to the modules of this package."""

from content.text.answers import is_no, is_yes, read_code, whole_number
from content.text.caution import broadcast_warnings, is_trusted, looks_like_identity_card, secrecy_stamps
from content.text.folding import fold, may_stand_for, shorthand, without_telex
from content.text.stored import clean, clean_line, letters, sentence_case_if_shouting, subject_of, utf16_length

__all__ = [
    "broadcast_warnings",
    "clean",
    "clean_line",
    "fold",
    "is_no",
    "is_trusted",
    "is_yes",
    "letters",
    "looks_like_identity_card",
    "may_stand_for",
    "read_code",
    "secrecy_stamps",
    "sentence_case_if_shouting",
    "shorthand",
    "subject_of",
    "utf16_length",
    "whole_number",
    "without_telex",
]
