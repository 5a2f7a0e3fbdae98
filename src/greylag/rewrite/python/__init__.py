"""The Python codemod: SQL and names of tables in programs, edited in place."""

from greylag.rewrite.python.codemod import rewrite_python
from greylag.rewrite.python.program import read_program

__all__ = ["read_program", "rewrite_python"]
