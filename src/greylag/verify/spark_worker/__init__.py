"""Runs PySpark code of a consumer over generated tables.

These modules are copied, and run by an interpreter that has PySpark and need not have Greylag: they use the
standard library and PySpark only. What the code returns, writes, or looks at by an action is *seen*: a list,
in order, of frames and values.
"""
