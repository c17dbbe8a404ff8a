"""The process and its doors."""

import gc

gc.set_threshold(200_000, 50, 100)
"""While everything is loaded: much is made and hardly anything thrown away, and looking through it all again and again took
a fifth of a start. `congdoan run`, which stays, sets its own (`bot.memory`)."""
