"""Stand-ins for functions that DuckDB does not know: any function of the arguments will do, the same on
both sides.
"""

from __future__ import annotations

from greylag.verify.execute import Lab
from greylag.verify.prepare import Names
from greylag.verify.typevars import TypeVar
from greylag.verify.values import kind_of


def macros_sql(names: Names, types: dict[str, TypeVar], lab: Lab) -> list[str]:
    """One CREATE MACRO for each unknown function; `lab.made` learns their names."""
    statements: list[str] = []
    for (stub, arity), _ in names.functions.items():
        arguments = [f"a{position}" for position in range(arity)]
        seed = f"hash({', '.join(arguments)})" if arguments else "hash(0)"
        body = value_sql(types.get(stub, TypeVar()), seed)
        statements.append(f"CREATE OR REPLACE MACRO {stub}({', '.join(arguments)}) AS {body}")
        lab.made.setdefault(f"MACRO {stub}", None)
    return statements


def value_sql(var: TypeVar, seed: str) -> str:
    """A value of a type that depends on a hash."""
    node = var.root()
    if node.element is not None:
        return f"[{value_sql(node.element, seed)}]"
    if node.fields:
        inner = ", ".join(f"'{name}': {value_sql(part, seed)}" for name, part in node.fields.items())
        return f"{{{inner}}}"
    scalar = node.sql()
    match kind_of(scalar):
        case "int" | "float" | "decimal":
            return f"CAST({seed} % 7 AS {scalar})"
        case "date":
            return f"(DATE '2024-01-08' + CAST({seed} % 5 AS INTEGER))"
        case "timestamp":
            return f"CAST(DATE '2024-01-08' + CAST({seed} % 5 AS INTEGER) AS {scalar})"
        case "bool":
            return f"({seed} % 2 = 0)"
        case _:
            known = sorted(node.strings)[:3]
            choices = [text.replace("'", "''") for text in known]
            arms = "".join(f" WHEN {position} THEN '{text}'" for position, text in enumerate(choices))
            other = f"'u' || CAST({seed} % 5 AS VARCHAR)"
            return f"CASE {seed} % {len(choices) + 3}{arms} ELSE {other} END" if arms else other
