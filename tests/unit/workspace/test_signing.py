"""Commits are signed so that git itself believes them; a key that does not work is known at once."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.e2e.campaigns import START, ScriptedHealth, make_fleet, query, rule_rewriter, write_migration

from greylag.app import build, load_settings
from greylag.domain.errors import UsageError
from greylag.engine.clock import LeapClock
from greylag.engine.work import InlineWork
from greylag.forge import EmbeddedForge
from greylag.workspace import MergeResult, Repository, signing
from greylag.workspace.signing import GpgSigning, Signer, SshSigning

WHEN = datetime(2026, 3, 2, 9, tzinfo=UTC)
WHO = {"author": "Käthe", "email": "k@example.org", "when": WHEN}


def ssh_key(folder: Path, passphrase: str = "") -> str:
    """A new Ed25519 key, and git told to believe it."""
    file = folder / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(file)], check=True)
    public = file.with_suffix(".pub").read_text()
    (folder / "allowed").write_text(f"* {public}")
    return file.read_text()


def gpg_key(folder: Path) -> str:
    """A new OpenPGP key in a keyring of the test's own, as text."""
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback"]
    subprocess.run(
        [*gpg, "--passphrase", "", "--quick-generate-key", "k@example.org", "ed25519", "sign", "never"],
        check=True,
        capture_output=True,
    )
    return subprocess.run(
        [*gpg, "--armor", "--export-secret-keys"], check=True, capture_output=True, text=True
    ).stdout


def verified(folder: Path, repo: Path, commit: str) -> bool:
    """What `git verify-commit` says."""
    argv = ["git", "-C", str(repo), "-c", f"gpg.ssh.allowedSignersFile={folder / 'allowed'}"]
    environment = {"GNUPGHOME": str(folder / "gnupg"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([*argv, "verify-commit", commit], env=environment, capture_output=True, check=False)
    return done.returncode == 0


def commits(folder: Path, sign: Signer | None) -> tuple[Path, list[str]]:
    """A commit, a merge and a revert."""
    repo = Repository.init_bare(folder).signed(sign)
    first = repo.commit(None, {"a": b"1\n", "b": b"1\n"}, message="First\n", **WHO)  # type: ignore[arg-type]
    one = repo.commit(first, {"a": b"2\n"}, message="Ein Käse\n\nKey: x\n", **WHO)  # type: ignore[arg-type]
    other = repo.commit(first, {"b": b"2\n"}, message="Other\n", **WHO)  # type: ignore[arg-type]
    merged = repo.merge(other, one, message="Merge\n", **WHO)  # type: ignore[arg-type]
    assert isinstance(merged, MergeResult)
    undone = repo.revert(merged.commit, merged.commit, message="Undo\n", **WHO)  # type: ignore[arg-type]
    assert isinstance(undone, MergeResult)
    return folder, [first, one, merged.commit, undone.commit]


def test_git_believes_what_ssh_signed_and_ids_stay_the_same(tmp_path: Path) -> None:
    key = ssh_key(tmp_path)
    where, made = commits(tmp_path / "one.git", SshSigning(key))
    assert [verified(tmp_path, where, commit) for commit in made] == [True] * 4
    assert commits(tmp_path / "two.git", SshSigning(key))[1] == made, "the same input, the same id"
    where, bare = commits(tmp_path / "three.git", None)
    assert not any(verified(tmp_path, where, commit) for commit in bare)
    assert Repository.open(tmp_path / "one.git").info(made[1]).trailers == {"Key": "x"}


def test_git_believes_what_gpg_signed(tmp_path: Path) -> None:
    sign = GpgSigning(gpg_key(tmp_path))
    sign.try_out()
    where, made = commits(tmp_path / "one.git", sign)
    assert [verified(tmp_path, where, commit) for commit in made] == [True] * 4


@pytest.mark.parametrize("kind", [SshSigning, GpgSigning])
def test_what_is_no_key(kind: type[SshSigning | GpgSigning]) -> None:
    with pytest.raises(UsageError, match="the key that commits are signed with") as error:
        kind("-----BEGIN s3cret-----").try_out()
    assert "s3cret" not in str(error.value)


def test_a_key_with_a_passphrase_asks_nobody(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="passphrase"):
        SshSigning(ssh_key(tmp_path, "word and word")).try_out()


def test_the_key_goes_with_its_owner(tmp_path: Path) -> None:
    sign = SshSigning(ssh_key(tmp_path))
    sign.try_out()
    place = sign._file()
    assert (place.stat().st_mode & 0o777, place.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    del sign
    assert not place.exists()


def test_a_campaign_that_signs(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {"a": {"q.sql": query(1)}})
    settings = tmp_path / "greylag.yaml"
    settings.write_text("fleet: fleet\nforge: {signing: {key_file: id}}\n")
    file = write_migration(tmp_path)

    def run() -> None:
        app = build(
            load_settings(settings),
            rewriter=rule_rewriter,
            clock=LeapClock(START),
            health=ScriptedHealth(sick={"a"}),
            work=InlineWork,
        )
        app.campaign(file).run()

    (tmp_path / "id").write_text("no key\n")
    with pytest.raises(UsageError, match="format: ssh"):
        run()
    assert EmbeddedForge(tmp_path / "fleet").pull_requests() == ()
    (tmp_path / "id").unlink()
    ssh_key(tmp_path)
    run()
    where = tmp_path / "fleet" / "a.git"
    first, *ours = [one.id for one in Repository.open(where).log(Repository.open(where).head())][::-1]
    assert not verified(tmp_path, where, first)
    assert len(ours) >= 4, "a change, its merge, what takes it back, and its merge"
    assert all(verified(tmp_path, where, commit) for commit in ours)


def test_the_key_of_a_killed_process_goes_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ssh_key(tmp_path)
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(signing, "_MEMORY", memory)
    alive = SshSigning(key)
    alive.try_out()
    child = os.fork()
    if child == 0:  # pragma: no cover - it is killed
        killed = SshSigning(key)
        killed.try_out()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert len(list(memory.iterdir())) == 2
    for folder in memory.iterdir():
        os.utime(folder, (0, 0))
    later = SshSigning(key)
    later.try_out()
    assert len(list(memory.iterdir())) == 2, "the killed one's is gone, and the living one's is not"
    alive.try_out()
    del later
    assert len(list(memory.iterdir())) == 1, "it goes with its owner"
