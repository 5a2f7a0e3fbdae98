"""The Python codemod: SQL and names of tables in programs, edited in place."""

from greylag.rewrite.python.codemod import rewrite_python

__all__ = ["rewrite_python"]
