"""Bugs planted into the core, one at a time: a simulation that cannot find them would be worth nothing."""

from tests.simulation.bugs import announcing, delivering, receiving
from tests.simulation.bugs.registry import BUGS, planted, steered

__all__ = ["BUGS", "announcing", "delivering", "planted", "receiving", "steered"]
