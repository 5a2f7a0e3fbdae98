"""Fakes that ship: what stands in for models and servers in tests and in the demo."""
