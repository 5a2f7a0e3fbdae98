"""Where the columns of a SELECT stand in its text: syntax trees carry no spans for expressions."""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from greylag.mapping.sqltext import PARSER_GIVES_UP, SqlFault, tokens

_OPEN = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
_CLOSE = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
_GENERIC = {TokenType.STRUCT, TokenType.ARRAY, TokenType.MAP, TokenType.RANGE}
_END = {
    TokenType.FROM,
    TokenType.WHERE,
    TokenType.GROUP_BY,
    TokenType.HAVING,
    TokenType.QUALIFY,
    TokenType.WINDOW,
    TokenType.ORDER_BY,
    TokenType.LIMIT,
    TokenType.FETCH,
    TokenType.UNION,
    TokenType.EXCEPT,
    TokenType.INTERSECT,
    TokenType.INTO,
    TokenType.LATERAL,
    TokenType.SEMICOLON,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One column of a select list: `sql[start:end]` with its alias, `sql[start:text_end]` without.

    `name` is the output's name (empty when it has none), `node` the expression without alias.
    """

    start: int
    end: int
    text_end: int
    name: str
    node: exp.Expr


def first_select(query: exp.Expr) -> exp.Select | None:
    """The SELECT that names a query's columns: the left-most one of a set operation."""
    node: object = query
    while isinstance(node, exp.SetOperation | exp.Subquery):
        node = node.this
    return node if isinstance(node, exp.Select) else None


def select_items(sql: str, query: exp.Query, dialect: str) -> tuple[Item, ...]:
    """The columns of a query with their spans in its text.

    Raises:
        SqlFault: the query has no plain select list.
    """
    select = first_select(query)
    listed = tokens(sql, dialect)
    if select is None:
        raise SqlFault("expected a SELECT with a list of columns", 0)
    if select.args.get("kind"):
        raise SqlFault(f"SELECT AS {select.args['kind']} yields one value, not columns", 0)
    start = _list_start(listed)
    groups = _split(listed, start)
    if len(groups) != len(select.expressions):
        raise SqlFault("cannot tell where the columns of this SELECT stand", listed[start].start)
    return tuple(
        _item(sql, group, node, dialect) for group, node in zip(groups, select.expressions, strict=True)
    )


def _list_start(listed: list[Token]) -> int:
    """The index of the first token of the select list."""
    index = _main_select(listed) + 1
    while index < len(listed):
        kind = listed[index].token_type
        if kind in (TokenType.HINT, TokenType.ALL, TokenType.DISTINCT):
            index += 1
        elif kind in (TokenType.ON, TokenType.TOP):
            index = _skip_group(listed, index + 1)
        else:
            return index
    raise SqlFault("the SELECT has no columns", listed[-1].start)


def _main_select(listed: list[Token]) -> int:
    """The index of the SELECT word whose list names the columns: not one of a WITH clause."""
    index = _skip_parens(listed, 0)
    if listed[index].token_type == TokenType.WITH:
        while index < len(listed) and listed[index].token_type != TokenType.SELECT:
            if listed[index].token_type in _OPEN:
                after = _skip_group(listed, index)
                index = after
                if after < len(listed) and listed[after].token_type == TokenType.L_PAREN:
                    index = _skip_parens(listed, after)
            else:
                index += 1
    if index >= len(listed) or listed[index].token_type != TokenType.SELECT:
        raise SqlFault("expected the mapping to begin with SELECT or WITH", listed[0].start)
    return index


def _skip_parens(listed: list[Token], index: int) -> int:
    while index < len(listed) - 1 and listed[index].token_type == TokenType.L_PAREN:
        index += 1
    return index


def _skip_group(listed: list[Token], index: int) -> int:
    """The index after a bracketed group, or after one token."""
    depth = 0
    while index < len(listed):
        depth += (listed[index].token_type in _OPEN) - (listed[index].token_type in _CLOSE)
        index += 1
        if depth <= 0:
            break
    return index


def _split(listed: list[Token], start: int) -> list[list[Token]]:
    """Token groups between the commas of the select list; brackets and `STRUCT<…>` hold together."""
    groups: list[list[Token]] = [[]]
    depth = angles = 0
    for index in range(start, len(listed)):
        token, before = listed[index], listed[index - 1]
        kind = token.token_type
        if depth == 0 and angles == 0 and _ends(token, before, groups[-1]):
            break
        if kind in _CLOSE and depth == 0:
            break
        depth += (kind in _OPEN) - (kind in _CLOSE)
        angles = _angles(angles, token, before)
        if kind == TokenType.COMMA and depth == 0 and angles == 0:
            groups.append([])
        else:
            groups[-1].append(token)
    return [group for group in groups if group]


def _ends(token: Token, before: Token, group: list[Token]) -> bool:
    if token.token_type not in _END:
        return False
    if token.token_type == TokenType.FROM and before.token_type == TokenType.DISTINCT:
        return False  # IS DISTINCT FROM
    if token.token_type == TokenType.EXCEPT and before.token_type == TokenType.STAR:
        return False  # * EXCEPT (…)
    return bool(group) or before.token_type == TokenType.COMMA or token.token_type == TokenType.FROM


def _angles(angles: int, token: Token, before: Token) -> int:
    if token.token_type == TokenType.LT and (before.token_type in _GENERIC or angles):
        return angles + 1
    if token.token_type == TokenType.GT and angles:
        return angles - 1
    return angles


def _item(sql: str, group: list[Token], node: exp.Expr, dialect: str) -> Item:
    start, end, text_end = group[0].start, group[-1].end + 1, group[-1].end + 1
    name = node.output_name
    inner = node.unalias()
    if isinstance(node, exp.Alias):
        alias = node.args["alias"].meta.get("start")
        last = next((i for i, token in enumerate(group) if token.start == alias), len(group) - 1)
        last -= group[last - 1].token_type == TokenType.ALIAS
        text_end = group[last - 1].end + 1
    elif isinstance(node, exp.Aliases):
        raise SqlFault("several names for one expression; give each column its own expression", start)
    _verify(sql[start:text_end], inner, dialect, start)
    return Item(start=start, end=end, text_end=text_end, name=name, node=inner)


def _verify(text: str, node: exp.Expr, dialect: str, start: int) -> None:
    """The text must mean the expression; anything else would be put into other people's queries."""
    try:
        again = sqlglot.parse_one(f"SELECT {text} AS c", read=dialect)
    except (SqlglotError, *PARSER_GIVES_UP):
        again = None
    if again is None or not again.expressions or again.expressions[0].unalias() != node:
        if isinstance(node, exp.Star) or node.is_star:
            return
        raise SqlFault(
            f"cannot tell the text of this column apart from its name: `{text}`; "
            "write it as `expression AS name`",
            start,
        )
