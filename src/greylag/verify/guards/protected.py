"""Files that decide what runs, who reviews and what is installed: no patch for a dataset touches them."""

from __future__ import annotations

from pathlib import PurePosixPath

_NEVER_FOLDERS = {
    ".github": "CI configuration",
    ".gitlab": "CI configuration",
    ".circleci": "CI configuration",
    ".buildkite": "CI configuration",
    ".woodpecker": "CI configuration",
    ".forgejo": "CI configuration",
    ".gitea": "CI configuration",
    ".teamcity": "CI configuration",
    ".ci": "CI configuration",
    ".git": "git's own folder",
    ".husky": "a git hook",
    ".githooks": "a git hook",
    "githooks": "a git hook",
    ".claude": "agent configuration",
    ".codex": "agent configuration",
    ".opencode": "agent configuration",
    ".cursor": "agent configuration",
    ".gemini": "agent configuration",
    ".aider": "agent configuration",
    ".windsurf": "agent configuration",
    ".continue": "agent configuration",
    ".roo": "agent configuration",
    ".agents": "agent configuration",
    ".vscode": "editor configuration",
    ".idea": "editor configuration",
    ".devcontainer": "editor configuration",
    ".mvn": "build configuration",
}
_NEVER_NAMES = {
    ".gitlab-ci.yml": "CI configuration",
    ".travis.yml": "CI configuration",
    "appveyor.yml": "CI configuration",
    "azure-pipelines.yml": "CI configuration",
    "bitbucket-pipelines.yml": "CI configuration",
    "cloudbuild.yaml": "CI configuration",
    "cloudbuild.yml": "CI configuration",
    "jenkinsfile": "CI configuration",
    ".drone.yml": "CI configuration",
    ".taskcluster.yml": "CI configuration",
    "renovate.json": "CI configuration",
    "codecov.yml": "a coverage threshold",
    ".codecov.yml": "a coverage threshold",
    ".coveragerc": "a coverage threshold",
    ".mcp.json": "agent configuration",
    "mcp.json": "agent configuration",
    "opencode.json": "agent configuration",
    "opencode.jsonc": "agent configuration",
    "agents.md": "agent configuration",
    "agent.md": "agent configuration",
    "claude.md": "agent configuration",
    "claude.local.md": "agent configuration",
    "gemini.md": "agent configuration",
    ".cursorrules": "agent configuration",
    ".windsurfrules": "agent configuration",
    ".clinerules": "agent configuration",
    ".aider.conf.yml": "agent configuration",
    "codeowners": "code owners",
    "owners": "code owners",
    ".greylag.yaml": "Greylag's configuration",
    ".greylag.yml": "Greylag's configuration",
    "greylag.yaml": "Greylag's configuration",
    ".gitattributes": "git's configuration",
    ".gitmodules": "git's configuration",
    ".gitignore": "git's configuration",
    ".gitconfig": "git's configuration",
    ".mailmap": "git's configuration",
    ".lfsconfig": "git's configuration",
    ".pre-commit-config.yaml": "pre-commit's configuration",
    ".pre-commit-config.yml": "pre-commit's configuration",
    ".pre-commit-hooks.yaml": "pre-commit's configuration",
    "lefthook.yml": "a git hook",
    ".envrc": "a shell's start-up file",
    ".bashrc": "a shell's start-up file",
    ".profile": "a shell's start-up file",
    ".npmrc": "a package manager's configuration",
    ".yarnrc": "a package manager's configuration",
    ".yarnrc.yml": "a package manager's configuration",
    "pip.conf": "a package manager's configuration",
    ".pypirc": "a package manager's configuration",
    ".netrc": "credentials",
    "poetry.lock": "a lock file",
    "pipfile.lock": "a lock file",
    "uv.lock": "a lock file",
    "pdm.lock": "a lock file",
    "pylock.toml": "a lock file",
    "package-lock.json": "a lock file",
    "npm-shrinkwrap.json": "a lock file",
    "yarn.lock": "a lock file",
    "pnpm-lock.yaml": "a lock file",
    "cargo.lock": "a lock file",
    "go.sum": "a lock file",
    "gradle.lockfile": "a lock file",
    "package-lock.yml": "a lock file",
    ".terraform.lock.hcl": "a lock file",
    "sitecustomize.py": "a file that Python runs by itself",
    "usercustomize.py": "a file that Python runs by itself",
}
_NEVER_SUFFIXES = {
    ".pth": "a file that Python runs by itself",
    ".lock": "a lock file",
    ".lockfile": "a lock file",
    ".pem": "a key",
    ".key": "a key",
}
# These may hold a consumer; then the consumers name them.
_UNLESS_NAMED = {
    "build.sbt": "build configuration",
    "pom.xml": "build configuration",
    "build.gradle": "build configuration",
    "build.gradle.kts": "build configuration",
    "settings.gradle": "build configuration",
    "settings.gradle.kts": "build configuration",
    "gradle.properties": "build configuration",
    "setup.py": "build configuration",
    "setup.cfg": "build configuration",
    "pyproject.toml": "build configuration",
    "tox.ini": "a test tool's configuration",
    "noxfile.py": "a test tool's configuration",
    "pytest.ini": "a test tool's configuration",
    ".pytest.ini": "a test tool's configuration",
    "pytest.toml": "a test tool's configuration",
    "conftest.py": "a test tool's configuration",
    "mypy.ini": "a linter's configuration",
    ".mypy.ini": "a linter's configuration",
    "ruff.toml": "a linter's configuration",
    ".ruff.toml": "a linter's configuration",
    ".flake8": "a linter's configuration",
    ".pylintrc": "a linter's configuration",
    ".sqlfluff": "a linter's configuration",
    ".sqlfluffignore": "a linter's configuration",
    ".scalafmt.conf": "a linter's configuration",
    ".scalafix.conf": "a linter's configuration",
    "makefile": "build configuration",
    "justfile": "build configuration",
    "dockerfile": "build configuration",
    "docker-compose.yml": "build configuration",
    "package.json": "build configuration",
    "requirements.txt": "what is installed",
    "requirements-dev.txt": "what is installed",
    "constraints.txt": "what is installed",
    "pipfile": "what is installed",
    "packages.yml": "what is installed",
    "dependencies.yml": "what is installed",
    "dbt_project.yml": "build configuration",
    "profiles.yml": "build configuration",
}
_UNLESS_NAMED_SUFFIXES = {
    ".sbt": "build configuration",
    ".sh": "a shell script",
    ".gradle": "build configuration",
    ".tfvars": "build configuration",
}


def why_protected(path: str, *, named: bool) -> str | None:
    """What a path is that may not be changed, in words; None where it may. Case does not matter.

    `named`: a consumer stands in it. That opens build files, never CI, agent configuration, locks and owners.
    """
    pure = PurePosixPath(path.casefold())
    for folder in pure.parts[:-1]:
        if folder in _NEVER_FOLDERS:
            return _NEVER_FOLDERS[folder]
    if (never := _never(pure)) is not None:
        return never
    if named:
        return None
    if pure.parts[0] == "project" and pure.suffix in (".sbt", ".scala", ".properties"):
        return "a build plugin"
    if pure.parts[0] == "buildsrc":
        return "a build plugin"
    if pure.name.startswith(("requirements", "constraints")) and pure.suffix in (".txt", ".in"):
        return "what is installed"
    return _UNLESS_NAMED.get(pure.name) or _UNLESS_NAMED_SUFFIXES.get(pure.suffix)


def _never(pure: PurePosixPath) -> str | None:
    if pure.name in _NEVER_NAMES:
        return _NEVER_NAMES[pure.name]
    if pure.name.startswith((".gitlab-ci", "azure-pipelines", "jenkinsfile")):
        return "CI configuration"
    if pure.name == ".env" or pure.name.startswith(".env."):
        return "credentials"
    return _NEVER_SUFFIXES.get(pure.suffix)
