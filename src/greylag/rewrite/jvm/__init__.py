"""The codemod for Scala and Java: SQL in strings, and calls that read a table by its name."""

from greylag.rewrite.jvm.codemod import read_program, rewrite_jvm

__all__ = ["read_program", "rewrite_jvm"]
