"""`python -m bot` is `congdoan`."""

from bot.cli import main

main()
