"""Functions whose value is not decided by their arguments: how often, and where, they run matters."""

from __future__ import annotations

from sqlglot import exp

_NODES = (exp.Rand, exp.Randn, exp.Uuid)
# By name, of any dialect: anonymous to the parser, or read in different ways by it.
_NAMES = frozenset(
    {
        "rand",
        "random",
        "randn",
        "rand_cs",
        "randcanonical",
        "generate_uuid",
        "gen_random_uuid",
        "uuid",
        "uuid_string",
        "uuid_generate_v4",
        "newid",
        "newsequentialid",
        "nextval",
        "setval",
        "currval",
        "lastval",
        "seq1",
        "seq2",
        "seq4",
        "seq8",
        "uniform",
        "normal",
        "zipf",
        "randstr",
        "clock_timestamp",
        "timeofday",
        "sleep",
        "pg_sleep",
        "row_id",
        "rowid",
        "monotonically_increasing_id",
        "generateuuidv4",
        "generateuuidv7",
        "rand32",
        "rand64",
        "randomstring",
        "rownumberinallblocks",
        "rownumberinblock",
        "last_insert_id",
        "input_file_name",
        "crypt_gen_random",
        "dbms_random",
    }
)


def volatile_call(node: exp.Expr) -> str | None:
    """The name of the first call under `node` that gives another value each time; None when none does."""
    for part in node.walk():
        if isinstance(part, _NODES):
            return part.key.upper()
        if isinstance(part, exp.Anonymous | exp.NextValueFor):
            name = part.name.lower() if isinstance(part, exp.Anonymous) else "nextval"
            clean = name.rsplit(".", 1)[-1]
            if clean in _NAMES or _stub_of(clean):
                return clean.upper()
    return None


def _stub_of(name: str) -> bool:
    """A stand-in for a volatile function: `greylag_f_<name>_<number of arguments>`."""
    if not name.startswith("greylag_f_"):
        return False
    return name.removeprefix("greylag_f_").rsplit("_", 1)[0] in _NAMES


def is_volatile(node: exp.Expr) -> bool:
    """Does something under `node` give another value each time it is evaluated?"""
    return volatile_call(node) is not None
