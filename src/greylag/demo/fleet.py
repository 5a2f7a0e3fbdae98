"""The demo's fleet: which repositories there are and what they hold. Pure: a seed in, files out."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jinja2 import Environment
from ruamel.yaml import YAML

from greylag.demo.templating import TEMPLATES, environment, fill, lower_keywords


class Kind(StrEnum):
    """The part that a repository plays in the demo."""

    ORDINARY = "ordinary"
    DBT = "dbt"
    UNTOUCHED = "untouched"
    QUESTION = "question"
    OPEN_QUESTION = "open_question"
    DYNAMIC = "dynamic"
    RENDERED = "rendered"
    BROKEN = "broken"
    GUARDED = "guarded"
    UNDECIDABLE = "undecidable"
    PRODUCER = "producer"
    LEFTOVER = "leftover"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositorySpec:
    """One repository: its name, part and owner, when its pipelines run, and its files (path to text)."""

    name: str
    kind: Kind
    owner: str
    cron: str
    files: Mapping[str, str]


def design_fleet(count: int, seed: int) -> tuple[RepositorySpec, ...]:
    """Design `count` repositories. The same count and seed give the same files, byte for byte."""
    return tuple(_Designer(seed).design(count))


class _Designer:
    """Draws names, columns, shapes and styles with one seeded generator."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._jinja: Environment = environment()
        with (TEMPLATES / "fleet.yaml").open(encoding="utf-8") as handle:
            self._words: Mapping[str, Any] = YAML(typ="safe").load(handle)
        self._decks: dict[str, list[str]] = {}

    def design(self, count: int) -> Iterator[RepositorySpec]:
        """Roles first in the order of fleet.yaml, then ordinary ones; names in a seeded order."""
        roles: list[Mapping[str, Any]] = list(self._words["roles"])
        taken = min(count, len(roles), max(9, count // 2))
        names = [(d, n) for n in self._words["nouns"] for d in self._words["domains"]]
        self._random.shuffle(names)
        if count > len(names):
            raise ValueError(f"at most {len(names)} repositories have a name")
        for number in range(count):
            role = roles[number] if number < taken else {"kind": "ordinary"}
            yield self._repository(role, *names[number])

    def _repository(self, role: Mapping[str, Any], domain: str, noun: str) -> RepositorySpec:
        kind = Kind(role["kind"])
        cron = f"{self._random.randrange(60)} */{self._random.choice([2, 3, 4])} * * *"
        values = self._values(domain, noun, cron) | {"mentions": bool(role.get("mentions"))}
        values["guard"] = "prod.core.users_v1" if kind is Kind.GUARDED else None
        files = {
            "README.md": self._fill("repo/README.md.j2", values),
            "CODEOWNERS": self._fill("repo/CODEOWNERS.j2", values),
        }
        match kind:
            case Kind.DBT:
                files |= self._dbt(str(role["shape"]), values)
            case Kind.LEFTOVER:
                files |= self._tree(f"leftover/{role['shape']}", values)
            case Kind.RENDERED:
                files["pipeline.yaml"] = self._fill("repo/pipeline.yaml.j2", values | {"kind": "render"})
                files["render.py"] = self._fill("repo/render.py.j2", values)
            case Kind.ORDINARY:
                files |= self._queries(self._draw_queries(), values)
            case _:
                files |= self._queries([f"{self._home(name)}/{name}" for name in role["queries"]], values)
        return RepositorySpec(
            name=str(values["name"]), kind=kind, owner=str(values["owner"]), cron=cron, files=files
        )

    def _values(self, domain: str, noun: str, cron: str) -> dict[str, object]:
        draw = self._random
        owner = f"@data-{domain}"
        quoting = draw.choice(["{}", "`{}`", "`{}`"])
        country, country2 = draw.sample(self._words["countries"], 2)
        values: dict[str, object] = {
            "name": f"{domain}-{noun}", "project": f"{domain}_{noun}", "domain": domain, "noun": noun,
            "dataset": f"{domain}_{noun}", "owner": owner, "owner_quoted": f'"{owner}"', "cron": cron,
            "purpose": f"The {noun} of {domain}.", "when": f"at `{cron}` (UTC)",
            "u": draw.choice(self._words["aliases"]), "country": country, "country2": country2,
            "plan": draw.choice(self._words["plans"]), "small": draw.randrange(2, 9),
            "sessions": draw.randrange(20, 60), "amount": draw.randrange(50, 150),
            "limit": draw.randrange(5, 40), "date": f"2025-{draw.randrange(6, 13):02}-01",
            "event_date": f"2026-02-{draw.randrange(12, 25):02}",
            "lower": draw.random() < 0.4,
        }  # fmt: skip
        tables = {"users": "users_v1", "devices": "devices_v1", "orders": "orders", "events": "events"}
        for key, table in (tables | {"countries": "countries"}).items():
            values[key] = quoting.format(f"prod.core.{table}")
        return values

    def _draw_queries(self) -> list[str]:
        """One to three shapes; a shape comes back only after all the others had their turn."""
        drawn = [self._deal("users")]
        if self._random.random() < 0.35:
            drawn.append(self._deal("devices"))
        if self._random.random() < 0.4:
            drawn.append(self._deal("users"))
        if self._random.random() < 0.15:
            drawn.append(self._deal("other"))
        return sorted(set(drawn))

    def _deal(self, folder: str) -> str:
        deck = self._decks.setdefault(folder, [])
        if not deck:
            deck.extend(f"{folder}/{name}" for name in _names(folder))
            self._random.shuffle(deck)
        return deck.pop()

    def _home(self, name: str) -> str:
        return next(folder for folder in ("special", "other", "users", "devices") if name in _names(folder))

    def _queries(self, queries: Sequence[str], values: Mapping[str, object]) -> dict[str, str]:
        files: dict[str, str] = {}
        for query in queries:
            table = query.split("/")[1]
            text = self._fill(f"sql/{query}.sql.j2", values)
            folder = f"sql/{values['dataset']}/{table}"
            files[f"{folder}/query.sql"] = lower_keywords(text) if values["lower"] else text
            files[f"{folder}/metadata.yaml"] = self._fill("repo/metadata.yaml.j2", {**values, "table": table})
        return files

    def _dbt(self, shape: str, values: Mapping[str, object]) -> dict[str, str]:
        papers = {"pipeline.yaml": self._fill("repo/pipeline.yaml.j2", {**values, "kind": "dbt"})}
        return papers | self._tree("dbt/common", values) | self._tree(f"dbt/{shape}", values)

    def _tree(self, folder: str, values: Mapping[str, object]) -> dict[str, str]:
        """Every template below a folder, at its own path; NOUN in a path is the repository's."""
        root = TEMPLATES / folder
        files: dict[str, str] = {}
        for path in sorted(root.rglob("*.j2")):
            name = path.relative_to(root).as_posix().removesuffix(".j2").replace("NOUN", str(values["noun"]))
            files[name] = self._fill(path.relative_to(TEMPLATES).as_posix(), values)
        return files

    def _fill(self, template: str, values: Mapping[str, object]) -> str:
        return fill(self._jinja, template, values)


def _names(folder: str) -> list[str]:
    return sorted(path.name.removesuffix(".sql.j2") for path in (TEMPLATES / "sql" / folder).glob("*.sql.j2"))
