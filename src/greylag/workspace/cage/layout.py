"""What a cage shows of the machine: almost nothing, all of it read-only."""

from __future__ import annotations

from pathlib import Path

from greylag.workspace.cage.base import HOME, SOCKET, WORK, CageError, CageSpec
from greylag.workspace.cage.launch import HERE, INSIDE, LAUNCHER, Interpreter
from greylag.workspace.cage.masks import Masks

USER = 1000
"""Number of the user and the group inside, whoever runs the cage."""

HOSTNAME = "greylag"

# Of /etc, what programs cannot do without. Not /etc/ssl as a whole: private keys are in it.
_ETC = (
    "alternatives",
    "ca-certificates.conf",
    "crypto-policies",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "pki/ca-trust/extracted",
    "pki/tls/certs",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
)
_OUR_ETC = ("group", "hosts", "nsswitch.conf", "passwd")
# Links into /usr on most systems, folders on others.
_ROOTS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Told by the kernel to whoever is root outside, as the cage's user may be.
_PROC_HIDDEN = ("kcore", "keys", "kpagecgroup", "kpagecount", "kpageflags", "sysrq-trigger", "timer_list")
# Shown as a whole they would undo the cage.
_NEVER = {"/", "/dev", "/etc", "/home", "/proc", "/root", "/run", "/sys", "/tmp", "/var", "/var/run"}


def check_readable(spec: CageSpec) -> None:
    """Refuse to show what must never be shown, or does not exist. Raises CageError."""
    if not spec.folder.is_dir():
        raise CageError(f"{spec.folder}: is no folder")
    for path in spec.readable:
        if not path.is_absolute() or str(path.resolve()) in _NEVER or str(path) in _NEVER:
            raise CageError(f"{path}: may not be shown in a cage as a whole")
        if not path.exists():
            raise CageError(f"{path}: does not exist, so it cannot be shown in a cage")
    if spec.socket is not None and not spec.socket.is_socket():
        raise CageError(f"{spec.socket}: is no unix socket")


def scratch_size(spec: CageSpec) -> int:
    """Bytes that each of the two folders in memory may hold: the home and /tmp."""
    return max(1024 * 1024, min(spec.limits.disk, spec.limits.memory) // 2)


def environment(spec: CageSpec) -> dict[str, str]:
    """The whole environment of the command in a cage."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
        "HOME": HOME,
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        **spec.env,
    }


def bubblewrap_args(spec: CageSpec, masks: Masks, python: Interpreter) -> list[str]:
    """The options of `bwrap` for a cage."""
    return [
        *_fences(),
        *_machine(),
        *_scratch(spec),
        # After the folders in memory, for what is shown may stand below /tmp.
        *_readable(spec, python),
        *_work(spec, masks),
        *_host(spec),
        # Last: what was mounted before it stays as it is, and nothing can be added.
        *("--remount-ro", "/"),
        *("--chdir", WORK),
        *(part for name, value in environment(spec).items() for part in ("--setenv", name, value)),
    ]


def _fences() -> list[str]:
    return [
        "--unshare-all",
        # Asked for by name, for it must not be left out when it cannot be had.
        "--unshare-user",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
        *("--cap-drop", "ALL"),
        "--clearenv",
        *("--hostname", HOSTNAME),
        *("--uid", str(USER), "--gid", str(USER)),
    ]


def _machine() -> list[str]:
    args = ["--ro-bind", "/usr", "/usr"]
    for name in _ROOTS:
        root = Path("/") / name
        if root.is_symlink():
            args += ["--symlink", str(root.readlink()), str(root)]
        elif root.is_dir():
            args += ["--ro-bind", str(root), str(root)]
    java = (path.relative_to("/etc") for path in Path("/etc").glob("java-*-openjdk"))
    for part in (*_ETC, *map(str, java)):
        args += ["--ro-bind-try", f"/etc/{part}", f"/etc/{part}"]
    for name in _OUR_ETC:
        args += ["--ro-bind", str(HERE / "etc" / name), f"/etc/{name}"]
    # The user inside may be root outside, and then the kernel's switches in /proc are that user's own files.
    args += ["--proc", "/proc"]
    for name in _PROC_HIDDEN:
        if (Path("/proc") / name).exists():
            args += ["--ro-bind", str(HERE / "etc" / "empty"), f"/proc/{name}"]
    return [*args, "--remount-ro", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]


def _scratch(spec: CageSpec) -> list[str]:
    size = str(scratch_size(spec))
    shared = str(max(1024 * 1024, scratch_size(spec) // 4))
    return [
        *("--perms", "1777", "--size", shared, "--tmpfs", "/dev/shm"),
        *("--perms", "1777", "--size", size, "--tmpfs", "/tmp"),
        *("--perms", "0700", "--size", size, "--tmpfs", HOME),
    ]


def _readable(spec: CageSpec, python: Interpreter) -> list[str]:
    shown = (path for path in (python.prefix, *spec.readable) if path is not None)
    return [
        part
        for path in shown
        if not path.is_relative_to("/usr")
        for part in ("--ro-bind", str(path), str(path))
    ]


def _work(spec: CageSpec, masks: Masks) -> list[str]:
    folder = str(spec.folder.resolve())
    args = ["--bind" if spec.writable else "--ro-bind", folder, WORK]
    for path in masks.git:
        args += ["--ro-bind", f"{folder}/{path}", f"{WORK}/{path}"]
    for path in masks.folders:
        args += ["--size", "4096", "--tmpfs", f"{WORK}/{path}", "--remount-ro", f"{WORK}/{path}"]
    for path in masks.files:
        args += ["--ro-bind", str(HERE / "etc" / "empty"), f"{WORK}/{path}"]
    return args


def _host(spec: CageSpec) -> list[str]:
    args = ["--ro-bind", str(INSIDE), LAUNCHER]
    if spec.socket is not None:
        args += ["--ro-bind", str(spec.socket.resolve()), SOCKET]
    return args
