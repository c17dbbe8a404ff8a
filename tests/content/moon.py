"""The lunar months reckoned from the sun and the moon, with nothing of the library that the product uses.

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
CHINA = timedelta(hours=8)


def _new_moon(k: int, zone: timedelta) -> datetime:
    """The k-th new moon since January 2000, in a zone's time."""
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
    return J2000 + timedelta(days=days - 2451545.0) + zone


def _sun(moment: datetime) -> float:
    """The sun's apparent longitude in degrees at a moment of universal time."""
    t = (moment - J2000) / timedelta(days=36525)
    anomaly = radians(357.52911 + 35999.05029 * t - 0.0001537 * t * t)
    centre = (1.914602 - 0.004817 * t) * sin(anomaly) + 0.019993 * sin(2 * anomaly) + 0.000289 * sin(3 * anomaly)
    node = radians(125.04 - 1934.136 * t)
    return (280.46646 + 36000.76983 * t + 0.0003032 * t * t + centre - 0.00569 - 0.00478 * sin(node)) % 360


def _term(day: date, zone: timedelta) -> int:
    """Which twelfth of the sun's way a day begins in: 9 from the winter solstice on."""
    return floor(_sun(datetime(day.year, day.month, day.day) - zone) / 30)


def _moons(year: int, zone: timedelta) -> list[datetime]:
    """The new moons from the month of the winter solstice before a year to the one at its end."""
    first = floor((year - 2000) * 12.3685) - 3
    found = [_new_moon(k, zone) for k in range(first, first + 19)]
    days = [moon.date() for moon in found]
    at = [n for n, (start, end) in enumerate(pairwise(days)) if _term(start, zone) < 9 <= _term(end, zone)]
    return found[at[0] : at[1] + 1]


@cache
def months(year: int, zone: timedelta = VIETNAM) -> dict[tuple[int, bool], date]:
    """(month, whether it is the leap one) -> first day, from the eleventh month before a year to its tenth or its leap eleventh.

    The solstice's month is the eleventh. Of thirteen months up to the next one, the first without a change of the sun's
    twelfth is the leap month and bears the number of the one before it.
    """
    days = [moon.date() for moon in _moons(year, zone)]
    leap = next((n for n, (a, b) in enumerate(pairwise(days)) if n and _term(a, zone) == _term(b, zone)), None)
    leap = leap if len(days) == 14 else None
    found: dict[tuple[int, bool], date] = {}
    number = 10
    for n, day in enumerate(days[:-1]):
        number += n != leap
        found[(number - 1) % 12 + 1, n == leap] = day
    return found


def near_midnight(year: int) -> set[date]:
    """The days beside a midnight from which one of a year's new moons is less than three minutes away: there a reckoning
    that is good to two minutes says nothing."""
    slack = timedelta(minutes=3)
    return {
        day for moon in _moons(year, VIETNAM) if (moon - slack).date() != (moon + slack).date()
        for day in ((moon - slack).date(), (moon + slack).date())
    }  # fmt: skip


def tet(year: int) -> tuple[date, date]:
    """(first day of the month before Tết, Tết); a leap twelfth month would be the one before."""
    found = months(year)
    return found.get((12, True), found[12, False]), found[1, False]


def ancestors_day(year: int, zone: timedelta = VIETNAM) -> date:
    """The tenth of the third month."""
    return months(year, zone)[3, False] + timedelta(days=9)
