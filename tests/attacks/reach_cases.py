"""Attacks that try to reach something of the host: each a program that says so when it does.

`free` ones are run without a cage too and must reach it there, so that a program that cannot reach anything
anywhere does not count as an attack that failed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """`program` is Python; see `world.py` for what it finds there."""

    name: str
    program: str
    free: bool = True


ATTACKS = (
    Attack(
        name="reads a file of the host",
        program="if host['words'] in (tried(lambda: open(host['secret']).read()) or ''): reached('file')",
    ),
    Attack(
        name="reads a file of the host by a path that climbs out",
        program="""
path = os.path.relpath(host['secret'], host['work'])
for path in (path, '../' * 30 + host['secret'], host['work'] + '/../' * 20 + host['secret']):
    if host['words'] in (tried(lambda: open(path).read()) or ''): reached(path)
""",
    ),
    Attack(
        name="reads a file of the host through /proc/<pid>/root and /proc/<pid>/cwd",
        program="""
for pid in [p for p in os.listdir('/proc') if p.isdigit()] + ['self', str(host['pid'])]:
    for way in ('root', 'cwd', 'fd/3', 'fd/5'):
        path = '/proc/%s/%s/%s' % (pid, way, '../' * 20 * (way != 'root') + host['secret'])
        if host['words'] in (tried(lambda: open(path).read()) or ''): reached(path)
""",
    ),
    Attack(
        name="reads the passwords of the host",
        program="""
for path in ('/etc/shadow', '/etc/gshadow', '/etc/ssl/private', '/var/lib/dpkg/status', '/boot'):
    if tried(os.stat, path): reached(path)
""",
    ),
    Attack(
        name="lists another user's home",
        program="""
for path in (host['home'], '/root', '/home', '/var', '/srv', '/mnt', '/media', '/sys'):
    for name in tried(os.listdir, path) or ():
        if not (path, name) in {('/root', '.pyenv'), ('/home', 'agent')}: reached(path + '/' + name)
""",
    ),
    Attack(
        name="reads the host's environment",
        program="""
if 'GREYLAG_ATTACK_SECRET' in os.environ: reached('own environment')
for path in glob.glob('/proc/*/environ'):
    if b'GREYLAG_ATTACK_SECRET' in (tried(lambda: open(path, 'rb').read()) or b''): reached(path)
""",
    ),
    Attack(
        name="reads the host's keyrings",
        free=False,
        program="""
number, join = {'x86_64': (250, 248), 'aarch64': (219, 217)}[os.uname().machine]
def add():
    syscall(join, b'user', b'greylag-attack', b'x', 1, -2)
    reached('add_key')
tried(add)
def join_session():
    syscall(number, 0, -3, 1)
    reached('keyctl')
tried(join_session)
if os.path.exists('/proc/keys') and open('/proc/keys').read(): reached('/proc/keys')
""",
    ),
    Attack(
        name="connects to a port of the host",
        program="""
def go(address):
    with socket.create_connection((address, host['port']), timeout=2) as near:
        if host['words'].encode() in near.recv(100): reached(address)
for address in ('127.0.0.1', 'localhost', '0.0.0.0'): tried(go, address)
""",
    ),
    Attack(
        name="connects by IP address",
        free=False,
        program="""
for address in ('1.1.1.1', '192.168.0.1', '10.0.0.1', '172.17.0.1', '169.254.169.254', '2606:4700::1111'):
    def go():
        socket.create_connection((address, 80), timeout=2).close()
        reached(address)
    tried(go)
""",
    ),
    Attack(
        name="asks a name server",
        free=False,
        program="""
tried(lambda: reached(socket.getaddrinfo('example.org', 80)))
def ask(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near:
        near.sendto(b'\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0\\7example\\3org\\0\\0\\1\\0\\1', (address, 53))
        reached('sent to ' + address)
for address in ('8.8.8.8', '1.1.1.1'): tried(ask, address)
""",
    ),
    Attack(
        name="has a network interface besides its own loopback",
        program="""
for _, name in socket.if_nameindex():
    if name != 'lo': reached(name)
for line in open('/proc/net/route').read().splitlines()[1:]: reached(line)
""",
    ),
    Attack(
        name="opens raw and packet sockets",
        free=False,
        program="""
for family, kind, protocol in ((2, 3, 1), (17, 3, 3), (2, 3, 255)):
    def go():
        socket.socket(family, kind, protocol).close()
        reached((family, kind))
    tried(go)
""",
    ),
    Attack(
        name="reaches the machine's own host by AF_VSOCK",
        free=False,
        program="""
for family in (40, 31, 38, 44, 29):
    def go():
        socket.socket(family, socket.SOCK_STREAM).close()
        reached(family)
    tried(go)
""",
    ),
    Attack(
        name="connects to a unix socket of the host, as docker's is",
        program="""
def go(path):
    with socket.socket(socket.AF_UNIX) as near:
        near.connect(path)
        if host['words'].encode() in near.recv(100): reached(path)
tried(go, host['socket'])
""",
    ),
    Attack(
        name="finds sockets of docker, X11, dbus, ssh, podman",
        free=False,
        program="""
for folder, folders, names in os.walk('/'):
    folders[:] = [name for name in folders if name not in ('proc', 'usr', '.pyenv')]
    for name in names:
        path = os.path.join(folder, name)
        if stat.S_ISSOCK(os.lstat(path).st_mode): reached(path)
for name in ('DISPLAY', 'DBUS_SESSION_BUS_ADDRESS', 'SSH_AUTH_SOCK', 'DOCKER_HOST', 'XDG_RUNTIME_DIR'):
    if name in os.environ: reached(name)
""",
    ),
    Attack(
        name="connects to an abstract unix socket of the host",
        program="""
def go():
    with socket.socket(socket.AF_UNIX) as near:
        near.connect('\\0' + host['abstract'])
        if host['words'].encode() in near.recv(100): reached('abstract')
tried(go)
""",
    ),
    Attack(
        name="writes git's hooks",
        program="""
def go():
    os.makedirs('.git/hooks', exist_ok=True)
    open('.git/hooks/pre-commit', 'w').write('#!/bin/sh')
    reached('hook')
tried(go)
""",
    ),
    Attack(
        name="writes git's configuration",
        program="""
def go(path):
    with open(path, 'a') as stream: stream.write('[core] fsmonitor = touch ran')
    reached(path)
for path in ('.git/config', '.git/info/attributes', '.git/HEAD', '.git/config.worktree'): tried(go, path)
tried(lambda: reached(subprocess.check_call(['git', 'config', 'core.fsmonitor', 'true']))
      if not subprocess.call(['git', 'config', 'core.x', 'y'], stderr=subprocess.DEVNULL) else None)
""",
    ),
    Attack(
        name="replaces .git by a folder or a link of its own",
        program="""
def folder():
    os.rename('.git', '.git-old')
    os.mkdir('.git')
    reached('folder')
def link():
    os.rename('.git', '.git-older')
    os.symlink('/tmp', '.git')
    reached('link')
def remove():
    import shutil
    shutil.rmtree('.git')
    reached('removed')
for way in (folder, link, remove): tried(way)
""",
    ),
    Attack(
        name="writes to what is shown read-only",
        free=False,
        program="""
def go(path):
    open(path, 'a').close()
    reached(path)
for path in ('/usr/bin/x', '/etc/passwd', '/etc/ld.so.preload', '/x', '/dev/x', '/run/x', '/run/greylag/inside.py',
             '/usr/local/bin/git', '/lib/x', sys.executable, os.__file__): tried(go, path)
""",
    ),
    Attack(
        name="writes the kernel's switches in /proc",
        free=False,
        program="""
def go(path):
    os.close(os.open(path, os.O_WRONLY))
    reached(path)
for path in ('/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/proc/sys/kernel/modprobe',
             '/proc/sys/vm/drop_caches', '/proc/sys/fs/binfmt_misc/register', '/proc/self/uid_map',
             '/proc/1/oom_score_adj', '/proc/self/mem'): tried(go, path) if path != '/proc/self/mem' else None
""",
    ),
    Attack(
        name="reads the kernel's memory and what it keeps for root",
        free=False,
        program="""
for path in ('/proc/kcore', '/proc/kpageflags', '/proc/kpagecount', '/dev/mem', '/dev/kmsg', '/proc/timer_list'):
    if tried(lambda: open(path, 'rb').read(8)): reached(path)
""",
    ),
    Attack(
        name="mounts, changes its root, makes namespaces of its own",
        free=False,
        program="""
libc = ctypes.CDLL(None, use_errno=True)
ways = {'user namespace': lambda: libc.unshare(0x10000000), 'mount namespace': lambda: libc.unshare(0x20000),
        'tmpfs': lambda: libc.mount(b'x', b'/tmp', b'tmpfs', 0, None),
        'remount': lambda: libc.mount(b'x', b'/usr', b'x', 32 | 4096, None),
        'unmount': lambda: libc.umount2((host['work'] + '/.git').encode(), 2),
        'chroot': lambda: libc.chroot(b'/tmp')}
for name, way in ways.items():
    if way() == 0: reached(name)
""",
    ),
    Attack(
        name="opens files by handle",
        free=False,
        program="""
number = {'x86_64': 304, 'aarch64': 265}[os.uname().machine]
handle = struct.pack('=IiQ', 8, 1, 2)
def go():
    syscall(number, os.open('.', 0), handle, 0)
    reached('handle')
tried(go)
""",
    ),
    Attack(
        name="traces and signals processes of the host",
        program="""
libc = ctypes.CDLL(None, use_errno=True)
def go(pid):
    os.kill(pid, 0)
    reached('signal')
if host['pid'] > 20: tried(go, host['pid'])
if len([p for p in os.listdir('/proc') if p.isdigit()]) > 6: reached('sees processes')
""",
    ),
    Attack(
        name="traces what started it",
        free=False,
        program="""
libc = ctypes.CDLL(None, use_errno=True)
for pid in (1, os.getppid()):
    if libc.ptrace(16, pid, 0, 0) == 0: reached(pid)
tried(lambda: reached(open('/proc/1/mem', 'rb').read(1)))
""",
    ),
    Attack(
        name="becomes root by a setuid program",
        free=False,
        program="""
def go():
    os.setuid(0)
    reached('setuid')
tried(go)
def caps():
    return [line for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapPrm', 'CapBnd'))]
if any(int(line.split()[1], 16) for line in caps()): reached('capabilities')
if 'NoNewPrivs:\\t1' not in open('/proc/self/status').read(): reached('may gain privileges')
for name in ('mount', 'newuidmap', 'newgrp', 'fusermount3'):
    for folder in ('/usr/bin/', '/bin/'):
        if os.path.exists(folder + name):
            done = subprocess.run([folder + name, '-c', 'id'], stdin=subprocess.DEVNULL, capture_output=True)
            if b'uid=0' in done.stdout: reached(name)
""",
    ),
    Attack(
        name="makes device nodes",
        free=False,
        program="""
def go(path):
    os.mknod(path, 0o666 | stat.S_IFBLK, os.makedev(254, 0))
    reached(path)
for path in ('disk', '/tmp/disk', '/dev/shm/disk'): tried(go, path)
""",
    ),
    Attack(
        name="types into the terminal that it was started from",
        free=False,
        program="""
def go(descriptor, request):
    fcntl.ioctl(descriptor, request, b'x')
    reached(request)
for request in (0x5412, 0x541C):
    for descriptor in (0, 1, 2): tried(go, descriptor, request)
tried(lambda: reached(os.open('/dev/tty', os.O_RDWR)))
""",
    ),
    Attack(
        name="hard-links a file of the host into the folder",
        program="""
def go():
    os.link(host['secret'], 'linked')
    if host['words'] in open('linked').read(): reached('link')
tried(go)
""",
    ),
    Attack(
        name="keeps memory that no process owns, by System V calls",
        free=False,
        program="""
number = {'x86_64': 29, 'aarch64': 194}[os.uname().machine]
def go():
    syscall(number, 0, 1 << 20, 0o1600)
    reached('shmget')
tried(go)
""",
    ),
    Attack(
        name="talks to the kernel's newer and riskier doors",
        free=False,
        program="""
for name, number in (('io_uring', 425), ('fsopen', 430), ('open_tree', 428)):
    def go():
        syscall(number, 1, ctypes.create_string_buffer(512), 0)
        reached(name)
    tried(go)
table = {'x86_64': {'bpf': 321, 'userfaultfd': 323, 'perf': 298}, 'aarch64': {'bpf': 280, 'userfaultfd': 282}}
for name, number in table[os.uname().machine].items():
    def go():
        syscall(number, 0, ctypes.create_string_buffer(512), 0, -1, -1, 0)
        reached(name)
    tried(go)
""",
    ),
    Attack(
        name="finds another cage's files",
        free=False,
        program="""
for folder in ('/tmp', '/dev/shm', os.environ['HOME']):
    for name in os.listdir(folder): reached(folder + '/' + name)
    open(folder + '/left', 'w').close()
""",
    ),
)
