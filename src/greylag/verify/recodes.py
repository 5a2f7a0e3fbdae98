"""Conditions over recodings: `CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'premium'` says `tier = 3`.

Only where a condition filters, that is where NULL and FALSE do the same. Literals count as different only
where they differ under every collation that ignores case or blanks at the end; what is not known for
certain stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

IS_IN = "greylag_in"
IS_OUT = "greylag_out"
_TURNED: dict[type[exp.Expr], type[exp.Binary]] = {
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
}
_TRUE, _FALSE = exp.Boolean(this=True), exp.Boolean(this=False)


def simplify_filters(holder: exp.Expr) -> None:
    """Put every filtering condition under `holder` into its plain form, innermost first."""
    clauses = exp.Where, exp.Having, exp.Qualify, exp.Join, exp.If, exp.CountIf
    for clause in reversed(list(holder.find_all(*clauses))):
        arg = "on" if isinstance(clause, exp.Join) else "this"
        recoded = isinstance(clause.parent, exp.Case) and clause.parent.this is not None
        if isinstance(clause.args.get(arg), exp.Expr) and not (isinstance(clause, exp.If) and recoded):
            clause.set(arg, filtering(clause.args[arg]))


def filtering(node: exp.Expr) -> exp.Expr:
    """A condition that is TRUE for the same rows as `node` (FALSE and NULL are not told apart)."""
    node = node.unnest()
    match node:
        case exp.And():
            return _and(filtering(node.this), filtering(node.expression))
        case exp.Or():
            return _or([filtering(part) for part in _disjuncts(node)])
        case exp.Not() if isinstance(node.this.unnest(), exp.Or):
            inner = node.this.unnest()
            return filtering(
                exp.And(this=exp.Not(this=inner.this), expression=exp.Not(this=inner.expression))
            )
        case exp.Not() if isinstance(node.this.unnest(), exp.And):
            inner = node.this.unnest()
            return filtering(exp.Or(this=exp.Not(this=inner.this), expression=exp.Not(this=inner.expression)))
        case exp.Not() if isinstance(node.this.unnest(), exp.Not):
            return filtering(node.this.unnest().this)
        case exp.Anonymous() if node.name == "greylag_present":
            row, inner = node.expressions
            return exp.Anonymous(this="greylag_present", expressions=[row.copy(), filtering(inner)])
        case _:
            return _leaf(node)


def _disjuncts(node: exp.Expr) -> list[exp.Expr]:
    node = node.unnest()
    if isinstance(node, exp.Or):
        return [*_disjuncts(node.this), *_disjuncts(node.expression)]
    return [node]


def _and(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, exp.Boolean):
            return other.copy() if one.this else _FALSE.copy()
    return exp.And(this=left.copy(), expression=right.copy())


def _or(parts: list[exp.Expr]) -> exp.Expr:
    kept: list[exp.Expr] = []
    groups: dict[str, list[exp.Expr]] = {}
    for part in parts:
        if isinstance(part, exp.Boolean):
            if part.this:
                return _TRUE.copy()
            continue
        if _called(part, IS_IN):
            subject, *keys = part.expressions
            if repr(subject) in groups:
                groups[repr(subject)].extend(keys)
                continue
            groups[repr(subject)] = [subject, *keys]
        kept.append(part)
    merged = [
        is_in(groups[repr(part.expressions[0])][0], groups[repr(part.expressions[0])][1:])
        if _called(part, IS_IN)
        else part
        for part in kept
    ]
    out = _out_of(merged)
    if out is not None:
        return out
    ordered = sorted({repr(part): part for part in merged}.items())
    if not ordered:
        return _FALSE.copy()
    if len(ordered) == 1:
        return ordered[0][1].copy()
    return exp.Anonymous(this="greylag_or", expressions=[part.copy() for _, part in ordered])


def _out_of(parts: list[exp.Expr]) -> exp.Expr | None:
    """`x <> k OR x IS NULL`."""
    if len(parts) != 2:
        return None
    for one, other in (parts, parts[::-1]):
        if isinstance(one, exp.Is) and isinstance(one.expression, exp.Null):
            keys = _unequal(other)
            if keys is not None and repr(keys[0]) == repr(one.this):
                return is_out(keys[0], keys[1:])
            turned = _TURNED.get(type(other))
            if turned is not None and repr(other.this) == repr(one.this) and _is_key(other.expression):
                return not_true(turned(this=other.this.copy(), expression=other.expression.copy()))
    return None


def _unequal(node: exp.Expr) -> list[exp.Expr] | None:
    """The subject and the keys of `x <> k` and of ANDs of such conditions on one subject."""
    if isinstance(node, exp.NEQ):
        for one, other in ((node.this, node.expression), (node.expression, node.this)):
            if _is_key(other) and not _is_key(one):
                return [one, other]
    if isinstance(node, exp.And):
        left, right = _unequal(node.this), _unequal(node.expression)
        if left is not None and right is not None and repr(left[0]) == repr(right[0]):
            return [*left, *right[1:]]
    return None


def _called(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name == name


def is_in(subject: exp.Expr, keys: Iterable[exp.Expr]) -> exp.Expr:
    """`subject IN (keys)`, in one order."""
    unique = {repr(key): key for key in keys}
    ordered = [unique[text].copy() for text in sorted(unique)]
    return exp.Anonymous(this=IS_IN, expressions=[subject.copy(), *ordered]) if ordered else _FALSE.copy()


def is_out(subject: exp.Expr, keys: Iterable[exp.Expr]) -> exp.Expr:
    """`subject` is NULL or none of the keys; one condition a key."""
    unique = {repr(key): key for key in keys}
    result: exp.Expr = _TRUE.copy()
    for text in sorted(unique):
        part = exp.Anonymous(this=IS_OUT, expressions=[subject.copy(), unique[text].copy()])
        result = _and(result, part)
    return result


# -- one condition ---------------------------------------------------------------------------------------


def _leaf(node: exp.Expr) -> exp.Expr:
    found = _comparison(node)
    if found is not None:
        subject, keys, equal = found
        solved = _solved(subject, keys, equal)
        if solved is not None:
            return solved
        if equal:
            return is_in(subject, keys)
        result: exp.Expr = _TRUE.copy()
        for key in keys:
            result = _and(result, exp.NEQ(this=subject.copy(), expression=key.copy()))
        return result
    return _distinct(node) or node.copy()


def _comparison(node: exp.Expr) -> tuple[exp.Expr, list[exp.Expr], bool] | None:
    """`x = k`, `x <> k`, `x IN (…)`, `x NOT IN (…)` over literals: subject, keys, and whether equal."""
    match node:
        case exp.EQ() | exp.NEQ():
            equal = isinstance(node, exp.EQ)
            left, right = node.this.unnest(), node.expression.unnest()
            if _is_key(left) and _is_key(right):
                return left, [right], equal
            for one, other in ((left, right), (right, left)):
                if _is_key(other):
                    return one, [other], equal
        case exp.In() if node.expressions and not node.args.get("query"):
            keys = [key.unnest() for key in node.expressions]
            if all(_is_key(key) for key in keys):
                return node.this.unnest(), keys, True
        case exp.Not():
            inner = _comparison(node.this.unnest())
            if inner is not None:
                return inner[0], inner[1], not inner[2]
    return None


def _distinct(node: exp.Expr) -> exp.Expr | None:
    """Other ways to say that something is not a key, or NULL."""
    match node:
        case exp.NullSafeNEQ() if _is_key(node.expression):
            return is_out(node.this, [node.expression])
        case exp.NullSafeEQ() if _is_key(node.expression):
            return is_in(node.this, [node.expression])
        case exp.Coalesce() if _default(node) is True:
            inner = _comparison(node.this.unnest())
            return is_out(inner[0], inner[1]) if inner is not None and not inner[2] else None
        case exp.Coalesce() if _default(node) is False:
            return filtering(node.this)
        case exp.Not() if isinstance(node.this.unnest(), exp.Coalesce | exp.Is):
            return _not_true(node.this.unnest())
        case exp.Is() if isinstance(node.expression, exp.Boolean) and node.expression.this:
            return filtering(node.this)
    return None


def _not_true(node: exp.Expr) -> exp.Expr | None:
    """`NOT COALESCE(condition, FALSE)` and `condition IS NOT TRUE`."""
    fitting = (isinstance(node, exp.Coalesce) and _default(node) is False) or (
        isinstance(node, exp.Is) and isinstance(node.expression, exp.Boolean) and node.expression.this
    )
    return not_true(node.this) if fitting else None


def _default(node: exp.Coalesce) -> bool | None:
    others = node.expressions
    if len(others) == 1 and isinstance(others[0], exp.Boolean):
        return bool(others[0].this)
    return None


# -- recodings -------------------------------------------------------------------------------------------


def _solved(subject: exp.Expr, keys: list[exp.Expr], equal: bool) -> exp.Expr | None:
    """The condition on what is recoded; None when the subject is no recoding that is understood."""
    if _is_key(subject):
        truth = _truth(subject, keys, equal)
        return None if truth is None else exp.Boolean(this=truth)
    if isinstance(subject, exp.Coalesce):
        return _defaulted(subject, keys, equal)
    arms = _arms(subject)
    if arms is None:
        return None
    inner, cases, other = arms
    truths = [_truth(value, keys, equal) for _, value in cases]
    rest = _truth(other, keys, equal)
    if rest is None or None in truths:
        return None
    picked = [
        key for (found, _), truth in zip(cases, truths, strict=True) if truth is not rest for key in found
    ]
    if inner is None:
        return _first_match([found[0] for found, _ in cases], truths, rest)
    return is_out(inner, picked) if rest else is_in(inner, picked)


def _defaulted(subject: exp.Coalesce, keys: list[exp.Expr], equal: bool) -> exp.Expr | None:
    """`COALESCE(x, 'none') <> 'gold'`: NULL counts as the default."""
    others = subject.expressions
    truth = _truth(others[0], keys, equal) if len(others) == 1 and _is_key(others[0]) else None
    if truth is None or truth is equal:
        return None
    return is_in(subject.this, keys) if equal else is_out(subject.this, keys)


def _first_match(conditions: list[exp.Expr], truths: list[bool | None], rest: bool) -> exp.Expr | None:
    """Arms with any conditions: those at the end that yield what ELSE yields say nothing."""
    while truths and truths[-1] is rest:
        truths.pop()
    if not truths:
        return exp.Boolean(this=rest)
    if len(truths) > 1:
        return None
    return not_true(conditions[0]) if rest else filtering(conditions[0])


def not_true(condition: exp.Expr) -> exp.Expr:
    """The condition is FALSE or NULL."""
    plain = filtering(condition)
    if isinstance(plain, exp.Boolean):
        return exp.Boolean(this=not plain.this)
    if _called(plain, IS_IN):
        return is_out(plain.expressions[0], plain.expressions[1:])
    return exp.Anonymous(this="greylag_not_true", expressions=[plain])


Cases = list[tuple[list[exp.Expr], exp.Expr]]


def _arms(node: exp.Expr) -> tuple[exp.Expr | None, Cases, exp.Expr] | None:
    """What a CASE recodes, keys and value of each arm, and its ELSE; the subject is None for a CASE of one
    arm with any condition.
    """
    if isinstance(node, exp.If) and not isinstance(node.parent, exp.Case):
        node = exp.Case(ifs=[node.copy()], default=node.args.get("false"))
    if not isinstance(node, exp.Case):
        return None
    other = node.args.get("default") or exp.Null()
    ifs = node.args["ifs"]
    cases: Cases = []
    known: list[exp.Expr] = []
    subject = node.this
    for arm in ifs:
        if node.this is not None:
            cases.append((_new_keys([arm.this.unnest()], known), arm.args["true"]))
            continue
        found = _comparison(arm.this.unnest())
        if _called(arm.this, IS_IN):
            found = arm.this.expressions[0], arm.this.expressions[1:], True
        if found is None or not found[2] or (subject is not None and repr(subject) != repr(found[0])):
            return None, [([one.this], one.args["true"]) for one in ifs], other
        subject = found[0]
        cases.append((_new_keys(found[1], known), arm.args["true"]))
    keys = [key for found_keys, _ in cases for key in found_keys]
    if not all(_is_key(key) for key in keys) or not _all_different(keys):
        return None
    return subject, cases, other


def _new_keys(keys: list[exp.Expr], known: list[exp.Expr]) -> list[exp.Expr]:
    """The keys that no arm before has taken; `known` learns them."""
    fresh = [key for key in keys if not any(same_literal(key, other) is True for other in known)]
    known.extend(fresh)
    return fresh


def _all_different(keys: list[exp.Expr]) -> bool:
    return all(
        same_literal(one, other) is False for number, one in enumerate(keys) for other in keys[number + 1 :]
    )


def _truth(value: exp.Expr, keys: list[exp.Expr], equal: bool) -> bool | None:
    """Is `value = keys` (or `<>`) true? NULL is not; None when it is not known."""
    value = value.unnest()
    if isinstance(value, exp.Null):
        return False
    answers = [same_literal(value, key) for key in keys]
    if True in answers:
        return equal
    return None if None in answers else not equal


def _is_key(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) or (
        isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string
    )


def same_literal(one: exp.Expr, other: exp.Expr) -> bool | None:
    """Are two literals equal? None where it may depend on types or on a collation."""
    if not (isinstance(one, exp.Literal) and isinstance(other, exp.Literal)):
        return None
    left, right = str(one.this), str(other.this)
    if one.is_string and other.is_string:
        if left == right:
            return True
        plain = [text.rstrip().lower() for text in (left, right)]
        return False if plain[0] != plain[1] and (left + right).isascii() else None
    if not one.is_string and not other.is_string and left.isdigit() and right.isdigit():
        return int(left) == int(right)
    return None
