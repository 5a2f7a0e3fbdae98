"""Codemods, one a framework: text in, edits and findings out."""

from greylag.rewrite.dispatch import rewrite_text
from greylag.rewrite.mentions import candidate_names

__all__ = ["candidate_names", "rewrite_text"]
