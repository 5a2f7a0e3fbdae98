"""The syntax tree of one piece of Jinja, whatever kind it is."""

from __future__ import annotations

from jinja2 import nodes

from greylag.rewrite.dbt.jinja import Span, SpanKind, body_tag, condition, expression, statement


def tree_of(span: Span) -> nodes.Node | None:
    """The syntax tree of an expression or of an opening tag; None when Jinja's parser refuses it."""
    if span.kind is SpanKind.EXPRESSION:
        return expression(span.code)
    if span.keyword in {"if", "elif"}:
        return condition(span.code)
    return statement(span.code) or body_tag(span.code, span.keyword)
