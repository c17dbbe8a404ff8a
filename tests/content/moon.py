"""Tết reckoned from the sun and the moon, with nothing of the library that the product uses.

Jean Meeus, Astronomical Algorithms, 2nd edition: chapter 49 for new moons (the larger terms, good to two minutes in these
centuries), chapter 25 for the sun's longitude (0.01 degrees). Terrestrial time runs about a minute ahead of the clock in
these years; that is left out, so a moon within minutes of midnight would have to be looked up.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from math import floor, radians, sin

J2000 = datetime(2000, 1, 1, 12)
VIETNAM = timedelta(hours=7)


def _new_moon(k: int) -> datetime:
    """The k-th new moon since January 2000, in Vietnam's time."""
    t = k / 1236.85
    days = 2451550.09766 + 29.530588861 * k + 0.00015437 * t * t
    e = 1 - 0.002516 * t
    sun = radians(2.5534 + 29.10535670 * k)
    moon = radians(201.5643 + 385.81693528 * k + 0.0107582 * t * t)
    f = radians(160.7108 + 390.67050284 * k - 0.0016118 * t * t)
    node = radians(124.7746 - 1.56375588 * k)
    days += (
        -0.40720 * sin(moon) + 0.17241 * e * sin(sun) + 0.01608 * sin(2 * moon) + 0.01039 * sin(2 * f)
        + 0.00739 * e * sin(moon - sun) - 0.00514 * e * sin(moon + sun) + 0.00208 * e * e * sin(2 * sun)
        - 0.00111 * sin(moon - 2 * f) - 0.00057 * sin(moon + 2 * f) + 0.00056 * e * sin(2 * moon + sun)
        - 0.00042 * sin(3 * moon) + 0.00042 * e * sin(sun + 2 * f) + 0.00038 * e * sin(sun - 2 * f)
        - 0.00024 * e * sin(2 * moon - sun) - 0.00017 * sin(node)
    )  # fmt: skip
    return J2000 + timedelta(days=days - 2451545.0) + VIETNAM


def _sun(moment: datetime) -> float:
    """The sun's apparent longitude in degrees at a moment of Vietnam's time."""
    t = (moment - VIETNAM - J2000) / timedelta(days=36525)
    anomaly = radians(357.52911 + 35999.05029 * t - 0.0001537 * t * t)
    centre = (1.914602 - 0.004817 * t) * sin(anomaly) + 0.019993 * sin(2 * anomaly) + 0.000289 * sin(3 * anomaly)
    node = radians(125.04 - 1934.136 * t)
    return (280.46646 + 36000.76983 * t + 0.0003032 * t * t + centre - 0.00569 - 0.00478 * sin(node)) % 360


def _term(day: date) -> int:
    """Which twelfth of the sun's way a day begins in: 9 from the winter solstice on."""
    return floor(_sun(datetime(day.year, day.month, day.day)) / 30)


def _months(year: int) -> tuple[date, ...]:
    """The first days of the lunar months from the one of the winter solstice before a year to the one at its end."""
    first = floor((year - 2000) * 12.3685) - 3
    starts = [_new_moon(k).date() for k in range(first, first + 19)]
    solstices = [n for n, (start, end) in enumerate(pairwise(starts)) if _term(start) < 9 <= _term(end)]
    return tuple(starts[solstices[0] : solstices[1] + 1])


@cache
def tet(year: int) -> tuple[date, date]:
    """(first day of the month before Tết, Tết): the third month from the solstice's own, or one later in a leap year."""
    found = _months(year)
    leap = None
    if len(found) == 14:  # thirteen months: the first without a change of the sun's twelfth is the leap month
        leap = next(n for n, (start, end) in enumerate(pairwise(found)) if n and _term(start) == _term(end))
    first = 2 if leap is None or leap > 2 else 3
    return found[first - 1], found[first]
