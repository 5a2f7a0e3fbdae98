"""What `greylag check` found, as values: the same for the table and for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from greylag.domain.errors import Fault
from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.verify.reproduce import Reproduction

SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """A compiled migration, its warnings, and the comparison with data when there was any."""

    migration: CompiledMigration
    warnings: tuple[Fault, ...]
    compared: tuple[Reproduction, ...] | None

    @property
    def needs_person(self) -> bool:
        """Whether anything is left that only a person can decide."""
        wrong = any(not entry.same for entry in self.compared or ())
        return bool(self.warnings) or wrong or any(True for _ in self.open_questions())

    def open_questions(self) -> Iterator[tuple[str, str]]:
        """Key and text of each unmapped column without an answer."""
        for mapping in self.migration.mappings:
            for column, text in mapping.unmapped.items():
                key = f"{mapping.dataset}.{column}"
                if key not in self.migration.answers:
                    yield key, text

    def rows(self, mapping: Mapping) -> list[dict[str, str | None]]:
        """One row an old column: its type, what it becomes, and a note."""
        outputs = {output.name: output.text for output in mapping.outputs}
        return [
            {
                "name": name,
                "type": kind,
                "expression": outputs.get(name),
                "status": self._status(mapping, name),
                "note": self._note(mapping, name),
            }
            for name, kind in mapping.columns.items()
        ]

    def _status(self, mapping: Mapping, name: str) -> str:
        if name in mapping.answers:
            return "answered"
        if name not in mapping.unmapped:
            return "mapped"
        return SKIP if f"{mapping.dataset}.{name}" in self.migration.answers else "unmapped"

    def _note(self, mapping: Mapping, name: str) -> str | None:
        match self._status(mapping, name):
            case "answered":
                return "answered"
            case "unmapped":
                return f"question: {mapping.unmapped[name]}"
            case "skip":
                return "unmapped; its consumers are skipped"
            case _:
                return f"differs: {mapping.differs[name]}" if name in mapping.differs else None

    def document(self) -> dict[str, object]:
        """The JSON document of the command."""
        return {
            "migration": self.migration.name,
            "path": self.migration.path,
            "dialect": self.migration.dialect,
            "digest": self.migration.digest,
            "ok": not self.needs_person,
            "faults": [],
            "warnings": [asdict(warning) for warning in self.warnings],
            "questions": [{"key": key, "text": text} for key, text in self.open_questions()],
            "datasets": [self._dataset(mapping) for mapping in self.migration.mappings],
            "data": None if self.compared is None else [_compared(entry) for entry in self.compared],
        }

    def _dataset(self, mapping: Mapping) -> dict[str, object]:
        return {
            "dataset": str(mapping.dataset),
            "form": "inline" if mapping.inlining else "boundary",
            "why_boundary": mapping.why_boundary,
            "columns": self.rows(mapping),
        }


def form_of(mapping: Mapping) -> str:
    """In which form a query that reads the dataset will be rewritten, as far as the mapping decides it."""
    if mapping.inlining is not None:
        return "inline"
    if mapping.branches is not None:
        return "inline where a query's conditions leave one branch, else boundary"
    if mapping.grain is not None:
        return "inline where a query groups it again, else boundary"
    return "boundary"


def _compared(entry: Reproduction) -> dict[str, object]:
    known = asdict(entry)
    return {**known, "dataset": str(entry.dataset), "same": entry.same}


def fault_document(path: str, faults: tuple[Fault, ...]) -> dict[str, object]:
    """The JSON document for a file that is refused."""
    return {
        "migration": None,
        "path": path,
        "ok": False,
        "faults": [asdict(fault) for fault in faults],
        "warnings": [],
        "questions": [],
        "datasets": [],
        "data": None,
    }
