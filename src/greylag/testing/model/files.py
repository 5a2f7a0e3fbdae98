"""Scripts from a YAML file, so that a scripted model can be started by hand.

scripts:
  - marker: team/reports        # what stands in the brief; without a marker: every request
    steps:
      - say: I look first.
        do: [{read: q.sql}]
      - do: [{replace: {path: q.sql, old: users_v1, new: users_v2}}, {verify: true}]
      - say: Done.
  - oracle: {q.sql: "SELECT 1"}  # or {q.sql: [{old: a, new: b}]}; instead of steps
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from greylag.domain.errors import UsageError
from greylag.testing.model.scripts import apply_patch, steps
from greylag.testing.model.values import (
    Action,
    Ask,
    Call,
    Fault,
    GiveUp,
    Read,
    Replace,
    Run,
    Script,
    Step,
    Tokens,
    Verify,
    Write,
)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Pair(_Model):
    old: str
    new: str


class _Replace(_Pair):
    path: str


class _Write(_Model):
    path: str
    text: str | None
    before: str | None = None


class _Ask(_Model):
    question: str
    options: tuple[str, ...] = ()


class _Call(_Model):
    name: str
    args: dict[str, Any] | str = Field(default_factory=dict)
    namespace: str | None = None


class _Action(_Model):
    read: str | None = None
    write: _Write | None = None
    replace: _Replace | None = None
    run: str | None = None
    verify: Literal[True] | None = None
    ask: _Ask | None = None
    give_up: str | None = None
    call: _Call | None = None

    @model_validator(mode="after")
    def _one(self) -> _Action:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"an action is one of {', '.join(_ACTIONS)}")
        return self

    def action(self) -> Action:
        (name,) = self.model_fields_set
        return _ACTIONS[name](getattr(self, name))


_ACTIONS: Mapping[str, Callable[[Any], Action]] = {
    "read": Read,
    "write": lambda given: Write(given.path, given.text, given.before),
    "replace": lambda given: Replace(given.path, given.old, given.new),
    "run": Run,
    "verify": lambda given: Verify(),
    "ask": lambda given: Ask(given.question, given.options),
    "give_up": GiveUp,
    "call": lambda given: Call(given.name, given.args, given.namespace),
}


class _Fault(_Model):
    kind: Literal["status", "cut", "slow", "json"]
    value: int = 0
    seconds: float = 0.0


class _Tokens(_Model):
    input: int
    output: int
    cached: int = 0


class _Step(_Model):
    say: str = ""
    do: tuple[_Action, ...] = ()
    tokens: _Tokens | None = None
    faults: tuple[_Fault, ...] = ()

    def step(self) -> Step:
        return Step(
            self.say,
            tuple(each.action() for each in self.do),
            Tokens(**self.tokens.model_dump()) if self.tokens else None,
            tuple(Fault(**each.model_dump()) for each in self.faults),
        )


class _Script(_Model):
    marker: str = ""
    steps: tuple[_Step, ...] | None = None
    oracle: dict[str, str | tuple[_Pair, ...] | None] | None = None

    @model_validator(mode="after")
    def _one(self) -> _Script:
        if (self.steps is None) == (self.oracle is None):
            raise ValueError("a script has either steps or an oracle")
        return self

    def script(self) -> Script:
        if self.steps is not None:
            return steps(*(each.step() for each in self.steps))
        return apply_patch(
            {
                path: [(pair.old, pair.new) for pair in text] if isinstance(text, tuple) else text
                for path, text in (self.oracle or {}).items()
            }
        )


class _File(_Model):
    scripts: tuple[_Script, ...] = Field(min_length=1)


def load_scripts(path: Path) -> Mapping[str, Script]:
    """Scripts by marker, in the file's order. Raises UsageError that names the file and what is wrong."""
    try:
        given = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        read = _File.model_validate(given)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except YAMLError as error:
        raise UsageError(f"{path}: not YAML: {error}") from error
    except ValidationError as error:
        lines = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise UsageError(f"{path}: not a file of scripts:\n  " + "\n  ".join(lines)) from error
    return {each.marker: each.script() for each in read.scripts}
