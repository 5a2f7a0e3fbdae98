"""Two versions of a module whose tables' names stand in another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from greylag.domain.check import Verdict
from greylag.engine.rewriting import prove_texts
from greylag.mapping import load_migration

GOLDEN = Path(__file__).parents[3] / "golden/python/migration.yaml"
CONFIG = "P = 'prod'\nDEVICES = P + '.core.devices_v1'\nDEVICES_V2 = f'{P}.core.devices_v2'\nLIMIT = 10\n"
OLD = """from config import DEVICES, LIMIT

def main(client):
    return client.query(f"SELECT model FROM {DEVICES} WHERE model = 'x'")
"""
NEW = OLD.replace("SELECT model", "SELECT model_name AS model").replace("WHERE model", "WHERE model_name")


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (NEW.replace("{DEVICES}", "prod.core.devices_v2"), Verdict.PROVEN),
        (NEW.replace("DEVICES", "DEVICES_V2"), Verdict.PROVEN),
        (NEW.replace("DEVICES", "DEVICES_V2").replace("'x'", "'y'"), Verdict.REFUTED),
        (NEW.replace("DEVICES", "DEVICES_V2").replace("V2, LIMIT", "V2, LIMIT as L"), Verdict.INCONCLUSIVE),
        (NEW.replace("DEVICES", "DEVICES_V2").replace("config", "other"), Verdict.INCONCLUSIVE),
    ],
)
def test_an_imported_name_of_a_table(new: str, expected: Verdict) -> None:
    files = {"config.py": CONFIG, "other.py": CONFIG, "a.py": OLD}
    proof = prove_texts(OLD, new, load_migration(GOLDEN), path="a.py", files=files)
    assert proof.verdict is expected, proof.reasons


def test_a_name_that_is_used_otherwise_as_well_stays_part_of_the_program() -> None:
    files = {"config.py": CONFIG, "a.py": OLD}
    old, new = (f"{text}    print(DEVICES)\n" for text in (OLD, NEW))
    new = new.replace("DEVICES", "DEVICES_V2")
    proof = prove_texts(old, new, load_migration(GOLDEN), path="a.py", files=files)
    assert proof.verdict is Verdict.INCONCLUSIVE
