"""Which modules hold a dataset's name in a constant, and which words stand for it elsewhere."""

from __future__ import annotations

from greylag.rewrite.python.carried import Carried
from greylag.rewrite.python.others import Others

FILES = {
    "app/config.py": "P = 'prod'\nUSERS = f'{P}.core.users_v1'\nif True:\n    ALSO = USERS + '$x'\n",
    "app/__init__.py": "from .config import USERS as PEOPLE, P\n",
    "app/names.py": "from app import PEOPLE\nQUERY = 'SELECT 1 FROM ' + PEOPLE\n",
    "app/broken.py": "print 'users_v1'\n",
    "app/local.py": "def f():\n    USERS = 'users_v1'\n",
    "notes.md": "users_v1",
}


def carried(names: frozenset[str] = frozenset({"users_v1"})) -> Carried:
    return Carried(Others(FILES), names)


def test_names_that_are_put_together_or_handed_on_are_found() -> None:
    assert carried().constants == {
        "app/config.py": {"USERS", "ALSO"},
        "app/__init__.py": {"PEOPLE"},
        "app/names.py": {"PEOPLE", "QUERY"},
    }


def test_the_words_that_stand_for_them() -> None:
    held = carried()
    assert held.used("app/a.py", "from .config import USERS as U, P\n") == {"U"}
    assert held.used("app/a.py", "from app import config\n") == {"USERS", "ALSO"}
    assert held.used("app/a.py", "def f():\n    from app.names import QUERY\n") == {"QUERY"}
    assert held.used("app/a.py", "from .config import P\n") == frozenset()
    assert held.used("app/a.py", "USERS = 1\nimport os\n") == frozenset()
    assert carried(frozenset({"orders"})).used("app/a.py", "from .config import USERS\n") == frozenset()


def test_what_cannot_be_read_may_hold_anything() -> None:
    held = carried()
    assert held.used("app/a.py", "from .broken import ANY\n") is None
    assert held.used("app/a.py", "from .config import USERS\nprint 1\n") is None
    assert held.used("app/a.py", "import os\nprint 'USERS'\n") == frozenset()
