"""What is loaded at the start stays for good, so that Python need not look through it for garbage again and again."""

from __future__ import annotations

import gc


def settle() -> None:
    """Called once everything is loaded; what is garbage by then, some thousand objects, is not worth a tenth of the start.

    Looking through all that is loaded was a third of what a message costs to send.
    """
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
