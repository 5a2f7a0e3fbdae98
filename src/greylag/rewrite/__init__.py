"""Codemods, one a framework: text in, edits and findings out."""
