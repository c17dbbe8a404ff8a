"""Reads the federation's list of units by its Vietnamese headings; every problem with its cell and remedy, none loses the rest."""

from content.unit_sheet.guesses import code_for, guess_level
from content.unit_sheet.rows import LONGEST, SheetProblem, SheetReading, SheetUnit
from content.unit_sheet.tree import read_units

__all__ = ["LONGEST", "SheetProblem", "SheetReading", "SheetUnit", "code_for", "guess_level", "read_units"]
