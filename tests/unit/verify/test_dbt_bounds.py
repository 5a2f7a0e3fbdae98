"""Templates that would fill the memory or never end are left unrendered, with a reason."""

from __future__ import annotations

import pytest

from greylag.verify.dbt_bounds import BoundedEnvironment, bound
from greylag.verify.dbt_world import Unrenderable

HOSTILE = {
    "nested ranges": "{% for a in range(10000) %}{% for b in range(10000) %}{{ b }}{% endfor %}{% endfor %}",
    "doubled": "{% set x = 'ab' %}" + "{% set x = x ~ x %}" * 64 + "{{ x }}",
    "added": "{% set x = 'ab' %}" + "{% set x = x + x %}" * 64 + "{{ x }}",
    "lists": "{% set x = [1] %}" + "{% set x = x + x %}" * 64 + "{{ x }}",
    "times": "{{ 'ab' * 1000000000 }}",
    "power": "{{ 9 ** 99999999 }}",
    "range": "{{ range(100000000) | list | length }}",
    "centred": "{{ 'a' | center(1000000000) }}",
    "indented": "{{ 'a' | indent(1000000000, true) }}",
    "padded": "{{ 'a'.ljust(1000000000) }}",
    "formatted": "{{ '%1000000000d' % 1 }}",
    "formatted by filter": "{{ '%1000000000d' | format(1) }}",
    "formatted by method": "{{ '{:1000000000}'.format(1) }}",
    "replaced": "{% set x = 'a' * 100000 %}{{ x | replace('a', x) }}",
    "replaced by method": "{% set x = 'a' * 100000 %}{{ x.replace('a', x) }}",
    "joined": "{% set x = 'a' * 100000 %}{{ ([1] * 100000) | join(x) }}",
    "calls": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
    "text": "{% for a in range(10000) %}" + "x" * 50000 + "{% endfor %}",
}


def rendered(text: str) -> str:
    environment = BoundedEnvironment()
    tree = environment.parse(text)
    bound(tree)
    environment.start()
    return environment.from_string(tree).render()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_it_ends(name: str) -> None:
    with pytest.raises(Exception) as raised:
        rendered(HOSTILE[name])
    assert isinstance(raised.value, Unrenderable) or "unsafe" in str(raised.value), raised.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% for c in ['a', 'b'] %}{{ c }}{{ ', ' if not loop.last }}{% endfor %}", "a, b"),
        ("{% for k, v in {'a': 1}.items() %}{{ k ~ '=' ~ v }}{% endfor %}", "a=1"),
        ("{{ ['a', 'b'] | join(', ') }}", "a, b"),
        ("{{ 'a_b' | replace('_', '-') }}{{ 'x.y'.replace('.', '') }}", "a-bxy"),
        ("{{ 'a\nb' | indent(2) }}", "a\n  b"),
        ("{{ '%s-%02d' % ('a', 3) }}{{ 2 * 3 }}{{ 'ab' * 2 }}", "a-036abab"),
        ("{% for i in range(3) %}{{ loop.index }}{% else %}none{% endfor %}", "123"),
        ("{% for i in [] %}x{% else %}none{% endfor %}", "none"),
    ],
)
def test_what_people_write_is_as_in_jinja(text: str, expected: str) -> None:
    assert rendered(text) == expected
