"""The chat page as a person uses it: on a small phone, by keyboard, on a bad network, twice by accident."""

from __future__ import annotations
