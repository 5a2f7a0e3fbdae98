"""The modules of a repository are read once, and found by the words of their imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from greylag.rewrite.python.others import others


class Counting(Mapping[str, str]):
    """Files that count how often they are read."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files
        self.reads = 0

    def __getitem__(self, path: str) -> str:
        self.reads += 1
        return self.files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def test_importers_are_found_by_module_and_by_name() -> None:
    files = {
        "dags/config.py": "TABLE = 1\n",
        "dags/a.py": "from dags.config import (\n    OTHER,\n    TABLE,\n)\n",
        "dags/b.py": "import config\nprint(config.TABLE)\n",
        "dags/c.py": "from dags import TABLE\n",
        "dags/d.py": "TABLE = 2\n",
        "dags/e.py": "import config\n",
        "notes.md": "import config TABLE",
    }
    found = set(others(files).naming("TABLE", "dags/config.py"))
    assert found == {files["dags/a.py"], files["dags/b.py"], files["dags/c.py"]}


def test_each_file_is_read_once_for_the_index() -> None:
    files = Counting({f"m{number}.py": "import os\n" for number in range(50)})
    for _ in range(20):
        assert not list(others(files).naming("TABLE", "m0.py"))
    assert files.reads <= 50
