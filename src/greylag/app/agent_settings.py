"""The part `agent` of the settings: which coding agent, on which model, and what it may take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from greylag.app.durations import Duration

Api = Literal["anthropic", "openai-chat", "openai-responses"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UpstreamSettings(_Part):
    """Where a model answers. The key comes from the environment or a file, and goes to this address only."""

    api: Api = "anthropic"
    url: str = Field("https://api.anthropic.com", pattern=r"^https?://[^\s]+$")
    key_env: str | None = Field(None, description="the environment variable that holds the key")
    key_file: Path | None = Field(None, description="the file that holds the key")
    timeout: Duration = timedelta(minutes=5)
    per_minute: int = Field(300, ge=1, description="calls a minute, over all agents")

    @model_validator(mode="after")
    def _one_key(self) -> UpstreamSettings:
        if self.key_env is not None and self.key_file is not None:
            raise ValueError("give one of key_env and key_file, not both")
        return self


class BudgetSettings(_Part):
    """US dollars that agents may take."""

    target: float = Field(2.0, ge=0)
    campaign: float = Field(100.0, ge=0)
    day: float = Field(100.0, ge=0)


class AgentLimits(_Part):
    """What one agent may take of the machine. Sizes in bytes."""

    wall: Duration = timedelta(minutes=15)
    cpu: Duration = timedelta(minutes=10)
    memory: int = Field(4 * 1024**3, ge=64 * 1024**2)
    disk: int = Field(1024**3, ge=1024**2)
    processes: int = Field(256, ge=8)


class JudgeSettings(_Part):
    """A model that reads each diff against the brief. Its vote can stop a patch, never pass one."""

    model: str
    upstream: UpstreamSettings | None = Field(None, description="where it differs from the agent's")


class VerifierSettings(_Part):
    """The repositories' own tests and linters, run in the sandbox on what an agent changed."""

    enabled: bool = True
    python: tuple[str, ...] = Field(("python3",), description="what starts Python in the sandbox")
    readable: tuple[Path, ...] = Field((), description="shown to them: virtual environments, compilers")
    timeout: Duration = timedelta(minutes=10)
    skip: frozenset[str] = Field(frozenset(), description="names of verifiers that are not run")


class TranscriptSettings(_Part):
    """What is kept of what agents said and did."""

    keep: Duration = timedelta(days=90)
    level: Literal["full", "no-content"] = "full"
    redact: tuple[str, ...] = Field((), description="regular expressions of what is never written down")

    @field_validator("redact", mode="after")
    @classmethod
    def _readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return value


class AgentSettings(_Part):
    """A coding agent for what codemods leave over. Without a runner, people get it."""

    runner: str | None = Field(
        None, description="own, acp, claude, codex, or package.module:factory for one from outside"
    )
    command: tuple[str, ...] = Field((), description="the agent's command line (acp), or its binary")
    options: Mapping[str, Any] = Field(default_factory=dict, description="the runner's own settings")
    model: str = ""
    aliases: Mapping[str, str] = Field(
        default_factory=dict, description="other names that an agent asks for, and the model that is meant"
    )
    upstream: UpstreamSettings = Field(default_factory=lambda: UpstreamSettings.model_validate({}))
    max_tokens: int = Field(16_000, ge=256, description="of output, in one call of the model")
    prices: Mapping[str, Mapping[str, Any]] = Field(
        default_factory=dict, description="US dollars a million tokens, for models that the table lacks"
    )
    sandbox: Literal["auto", "bubblewrap", "docker", "podman"] = "auto"
    image: str = Field("", description="the image of a docker or podman sandbox")
    rounds: int = Field(3, ge=1, le=20, description="times that failures go back to the agent, plus one")
    turns: int = Field(40, ge=1, description="calls of the model in one run")
    parallel: int = Field(2, ge=1, le=64, description="agents at a time")
    budget: BudgetSettings = Field(default_factory=lambda: BudgetSettings.model_validate({}))
    limits: AgentLimits = Field(default_factory=lambda: AgentLimits.model_validate({}))
    verifiers: VerifierSettings = Field(default_factory=lambda: VerifierSettings.model_validate({}))
    judge: JudgeSettings | None = None
    transcripts: TranscriptSettings = Field(default_factory=lambda: TranscriptSettings.model_validate({}))

    @model_validator(mode="after")
    def _complete(self) -> AgentSettings:
        if self.runner is not None and not self.model:
            raise ValueError(f"the runner {self.runner!r} needs a `model`")
        if self.runner == "acp" and not self.command:
            raise ValueError("the runner 'acp' needs a `command`, e.g. [claude-agent-acp]")
        speaks = {"claude": "anthropic", "codex": "openai-responses"}.get(self.runner or "")
        if speaks is not None and self.upstream.api != speaks:
            raise ValueError(
                f"the runner {self.runner!r} speaks {speaks} only, and the upstream is {self.upstream.api}: "
                f"say `upstream: {{api: {speaks}, …}}`"
            )
        if self.runner == "own" and self.command:
            raise ValueError("the runner 'own' takes no `command`: it is part of Greylag")
        return self
