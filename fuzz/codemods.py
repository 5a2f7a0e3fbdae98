"""Coverage-guided fuzzing of one front: `python fuzz/codemods.py sql -max_total_time=300`.

Needs atheris (`pip install atheris`). A front is the suffix of a file; the golden files of that kind are what
it starts from. Anything but an edit, nothing to do or a reasoned skip is a crash.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

with atheris.instrument_imports(include=["greylag.rewrite", "greylag.mapping"]):
    import greylag.rewrite.jvm
    import greylag.rewrite.python  # noqa: F401
    from greylag.engine.rewriting import rewrite_file
    from greylag.rewrite.dispatch import rewrite_text

from tests.property.mutations import seeds

from greylag.domain.outcome import Edited, Failed, Unchanged
from greylag.mapping import load_migration


def main() -> None:
    """Fuzz the front that the first argument names; the others are libFuzzer's."""
    suffix = f".{sys.argv.pop(1)}"
    found = [seed for seed in seeds() if seed.path.endswith(suffix)]
    migration = load_migration(found[0].migration)
    path = f"models/job{suffix}"

    def once(data: bytes) -> None:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return
        outcome = rewrite_file(path, text, migration, proof="none").outcome
        assert not isinstance(outcome, Failed), outcome.message
        if isinstance(outcome, Edited):
            again = rewrite_text(path, outcome.text, migration)
            assert isinstance(again, Unchanged) or outcome.left, again

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(found):
            (Path(corpus) / str(number)).write_bytes(seed.text.encode("utf-8", "replace"))
        atheris.Setup([sys.argv[0], corpus, *sys.argv[1:]], once)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
