"""The process and its doors."""

import gc

gc.set_threshold(1_000_000, 50, 100)
"""While everything is loaded: a third of a million objects are made and hardly any is thrown away. What stays for long sets its
own once it is loaded (`bot.memory`)."""
