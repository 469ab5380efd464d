"""Yardsticks: ratios in one interleaved run, never a pass or fail. ``python -m benchmarks [NAME…]``."""
