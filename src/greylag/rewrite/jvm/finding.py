"""Where a program names a replaced dataset: by its name, or by a constant that stands for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tree_sitter import Node

from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.jvm.constants import constants_in, uses_constants
from greylag.rewrite.jvm.model import Definition, File, Place
from greylag.rewrite.jvm.names import Naming, naming
from greylag.rewrite.jvm.places import place_of, root_of
from greylag.rewrite.jvm.syntax import Source
from greylag.rewrite.mentions import candidate_names, mentioned


def opened(
    path: str, text: str, migration: CompiledMigration, siblings: Mapping[str, str] | None
) -> File | None:
    """The file, if it has to do with the migration: by a name in it, or by a constant of a sibling."""
    if not mentioned(text, migration, {}) and not uses_constants(text, siblings, migration):
        return None
    others = tuple(each for each in constants_in(siblings, migration) if each.path != path)
    return File(source=Source(path, text), migration=migration, siblings=siblings or {}, others=others)


def places(file: File) -> list[Place]:
    """Every place that names a replaced dataset, by its name or by a constant, in order."""
    found: dict[tuple[int, int], Place] = {}
    queue = [*_named(file), *_by_constants(file)]
    seen: set[tuple[int, int]] = set()
    while queue:
        root = root_of(file.source, queue.pop())
        span = file.source.span(root)
        if span in seen:
            continue
        seen.add(span)
        place = place_of(file, root)
        found[place.span] = place
        if isinstance(place, Definition):
            queue.extend(_uses(file, place.name, root))
    return [found[span] for span in sorted(found)]


def _named(file: File) -> Iterable[Node]:
    """The string literals that name a replaced dataset."""
    words = "|".join(re.escape(name) for name in sorted(candidate_names(file.migration)))
    for found in re.finditer(rf"(?i){words}", file.source.text):
        node = file.source.string_at(found.start(), found.end())
        if node is not None:
            yield node
    stems = {name[:size] for name in candidate_names(file.migration) for size in range(3, len(name))}
    for found in re.finditer(r"([\w-]+)\*", file.source.text):
        if found[1].lower() in stems:
            node = file.source.string_at(found.start(), found.end())
            if node is not None:
                yield node


def _by_constants(file: File) -> Iterable[Node]:
    """The uses of what siblings define."""
    for name in {each.name for each in file.others if each.named}:
        for node in file.source.words(name):
            whole = node.parent if node.parent is not None and _is_field(node) else node
            text = file.constants.text(whole) if not _imported(node) else None
            if text is not None and naming(text, file.migration) in (Naming.FULL, Naming.BARE, Naming.FILES):
                yield whole


def _imported(node: Node) -> bool:
    around: Node | None = node
    while around is not None:
        if around.type == "import_declaration":
            return True
        around = around.parent
    return False


def _is_field(node: Node) -> bool:
    parent = node.parent
    return (
        parent is not None
        and parent.type in ("field_expression", "field_access")
        and parent.child_by_field_name("field") == node
    )


def _uses(file: File, name: str, value: Node) -> Iterable[Node]:
    """Where a constant of this file is used."""
    for node in file.source.words(name):
        whole = node.parent if node.parent is not None and _is_field(node) else node
        other = file.source.span(whole) != file.source.span(value)
        bound = node.parent is not None and node.parent == value.parent and _is_name(node)
        if other and not bound and not _imported(node) and file.constants.text(whole) is not None:
            yield whole


def _is_name(node: Node) -> bool:
    parent = node.parent
    return parent is not None and node in (
        parent.child_by_field_name("pattern"),
        parent.child_by_field_name("name"),
    )
