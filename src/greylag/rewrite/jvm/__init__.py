"""The codemod for Scala and Java: SQL in strings, and calls that read a table by its name."""

from greylag.rewrite.jvm.codemod import rewrite_jvm
from greylag.rewrite.jvm.program import read_program

__all__ = ["read_program", "rewrite_jvm"]
