"""Power cuts: what a disk may hold when the current fails, made from a record of every write and sync of the real core."""
