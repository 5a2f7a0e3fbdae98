"""What execution in DuckDB cannot vouch for, however equal the rows were."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from greylag.verify.changed import pieces
from greylag.verify.liveness import Liveness
from greylag.verify.program import NotComparable
from greylag.verify.resolve import Model
from greylag.verify.volatile import volatile_call

# What DuckDB computes in a way of its own: by an approximation, with another reading of texts and formats,
# of NULLs among arguments, of the sign or the rounding, of time zones, or from whichever row comes first.
# Where both versions use it, it stands for the dialect's; where only one does, equal rows say nothing.
_OWN_WAY = (
    exp.ApproxDistinct,
    exp.ApproxQuantile,
    exp.ApproxQuantiles,
    exp.ApproxTopK,
    exp.AnyValue,
    exp.First,
    exp.Last,
    exp.Greatest,
    exp.Least,
    exp.Concat,
    exp.ConcatWs,
    exp.RegexpLike,
    exp.RegexpILike,
    exp.RegexpExtract,
    exp.RegexpExtractAll,
    exp.RegexpReplace,
    exp.RegexpSplit,
    exp.Split,
    exp.StrPosition,
    exp.Substring,
    exp.Soundex,
    exp.Levenshtein,
    exp.Initcap,
    exp.Mod,
    exp.IntDiv,
    exp.Round,
    exp.ToChar,
    exp.TimeToStr,
    exp.StrToTime,
    exp.StrToDate,
    exp.StrToUnix,
    exp.DateDiff,
    exp.TimestampDiff,
    exp.DatetimeDiff,
    exp.TimeDiff,
    exp.DateTrunc,
    exp.TimestampTrunc,
    exp.Week,
    exp.DayOfWeek,
    exp.Bracket,
    exp.TryCast,
    exp.Stddev,
    exp.Variance,
    exp.PercentileCont,
    exp.PercentileDisc,
    exp.Quantile,
    exp.Median,
    exp.JSONExtract,
    exp.JSONExtractScalar,
)
_LAX_TEXT = frozenset({"mysql", "tsql"})


def chance_call(query: exp.Expr) -> str | None:
    """A function of the query that gives another value each time, or None."""
    return volatile_call(query)


def freeze_chance(query: exp.Expr) -> None:
    """Let functions of chance always give one value: what differs even then is different."""
    for node in list(query.find_all(exp.Rand, exp.Randn, exp.Uuid)):
        value = exp.Literal.string("u") if isinstance(node, exp.Uuid) else exp.Literal.number("0.37")
        node.replace(value)


def runnable(query: exp.Query) -> str:
    """The query in DuckDB's dialect.

    Raises NotComparable when something would be left out: what is not run is not compared.
    """
    try:
        return query.sql("duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise NotComparable(f"DuckDB cannot run it: {str(error).splitlines()[0]}") from error


def own_ways(one: Model, other: Model, dialect: str) -> list[str]:
    """Doubts about what only one of two unfolded versions computes in DuckDB's own way."""
    if dialect == "duckdb":
        return []
    left, right = set(_used(one, dialect)), set(_used(other, dialect))
    return [
        f"{name} stands in one of the versions only, and DuckDB's may not be the dialect's"
        for name in sorted(left ^ right)
    ]


def _used(model: Model, dialect: str) -> Iterator[str]:
    try:
        live = Liveness(model)
    except (NotComparable, RecursionError):
        return
    for piece in pieces(model.root.node, live):
        for node in piece.walk():
            if isinstance(node, _OWN_WAY):
                yield node.key.upper()
            elif isinstance(node, exp.Div):
                yield "/"
            elif isinstance(node, exp.Like | exp.ILike):
                yield "LIKE"
            elif isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
                yield from _cast(node)
            elif dialect in _LAX_TEXT and isinstance(node, exp.Lower | exp.Upper | exp.Trim):
                # Texts are the same there in any case, and with any blanks at the end.
                yield node.key.upper()


def _cast(node: exp.Cast) -> Iterator[str]:
    """Casts of texts and to texts are formats; casts to whole numbers round."""
    to = node.args["to"]
    if isinstance(to, exp.DataType) and isinstance(node.this, exp.Literal):
        return
    if isinstance(to, exp.DataType) and (to.is_type(*exp.DataType.INTEGER_TYPES, *exp.DataType.TEXT_TYPES)):
        yield f"CAST to {to.sql()}"
