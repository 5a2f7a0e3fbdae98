"""Tables that a function is told by name: `IDENTIFIER('a.b')`, `TABLE(a.b)`, `remote('host', a, b)`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot.tokenizer_core import Token, TokenType

from greylag.rewrite.sql.tokens import Tokens

STRINGS = {
    TokenType.STRING,
    TokenType.RAW_STRING,
    TokenType.HEREDOC_STRING,
    TokenType.NATIONAL_STRING,
    TokenType.UNICODE_STRING,
}
_NAMES = {TokenType.VAR, TokenType.IDENTIFIER}
_READERS = {
    "cluster",
    "clusterallreplicas",
    "dictionary",
    "external_query",
    "hasdictionary",
    "identifier",
    "table_info",
    "pragma_table_info",
    "pragma_show",
    "to_regclass",
    "joinget",
    "merge",
    "openquery",
    "query",
    "query_table",
    "remote",
    "remotesecure",
    "table",
}


def named_to_functions(tokens: Tokens, names: set[str]) -> Iterator[Token]:
    """Arguments that end in one of the (lower-case) names, of functions that read the table they are told."""
    for index, token in enumerate(tokens.items):
        if token.token_type not in STRINGS | _NAMES or tokens.kind(index + 1) is TokenType.DOT:
            continue
        if token.text.lower().split(".")[-1].strip('`"[]') not in names:
            continue
        function = _function(tokens, index)
        if function in _READERS or function.startswith("dictget"):
            yield token


def _function(tokens: Tokens, index: int) -> str:
    """The lower-case word before the parenthesis around a token; empty when there is none."""
    depth = tokens.depths[index]
    if depth == 0:
        return ""
    while index > 0 and tokens.depths[index] >= depth:
        index -= 1
    opened = index > 0 and tokens.kind(index) is TokenType.L_PAREN
    return tokens.items[index - 1].text.lower() if opened else ""
