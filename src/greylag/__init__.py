"""Greylag: when a dataset changes, the programs that read it change too, with proof."""

__version__ = "0.1.0"
