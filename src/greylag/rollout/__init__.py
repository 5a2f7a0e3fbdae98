"""Waves, windows, owners' limits, health, promote/hold/revert: pure functions and the health sources."""
