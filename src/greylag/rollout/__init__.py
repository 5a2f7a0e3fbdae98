"""Waves, windows, limits and health: pure decisions about when and whether."""
