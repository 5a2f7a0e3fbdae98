"""The papers: their links lead somewhere, their lists are whole, what they show can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from greylag.app import load_settings
from greylag.testing.model.files import load_scripts

ROOT = Path(__file__).parents[2]
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(paper: Path) -> set[str]:
    """What `#…` may name: the headings, as they become links."""
    headings = re.findall(r"(?m)^#+ (.+)$", paper.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_every_link_leads_somewhere(paper: Path) -> None:
    prose = re.sub(r"`[^`\n]*`", "", paper.read_text(encoding="utf-8"))
    for link in LINK.findall(prose):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = paper.parent / name if name else paper
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_decision_is_listed_once() -> None:
    listed = LINK.findall((ROOT / "docs/adr/README.md").read_text(encoding="utf-8"))
    assert listed == [path.name for path in sorted(ROOT.glob("docs/adr/0*.md"))]


def test_architecture_stays_two_pages() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 110


def blocks(paper: str, first: str) -> list[str]:
    """The YAML blocks of a paper that begin with a line."""
    found = re.findall(r"(?ms)^```yaml\n(.*?)^```", (ROOT / paper).read_text(encoding="utf-8"))
    return [block for block in found if block.startswith(first)]


def test_the_settings_and_the_script_of_agents_can_be_read(tmp_path: Path) -> None:
    (settings,) = blocks("docs/agents.md", "# greylag.yaml")
    (tmp_path / "greylag.yaml").write_text(settings)
    assert load_settings(tmp_path / "greylag.yaml").agent.runner == "own"
    (script,) = blocks("docs/agents.md", "# model.yaml")
    (tmp_path / "model.yaml").write_text(script)
    assert list(load_scripts(tmp_path / "model.yaml")) == ["queries/daily.sql", "team/reports"]
