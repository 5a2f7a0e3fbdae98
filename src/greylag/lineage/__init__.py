"""The fleet index: who reads a dataset, where, with which evidence, and who owns it."""
