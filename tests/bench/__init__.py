"""`make bench`: what things cost, as ratios to plain peers measured in the same run. Never part of the tests."""
