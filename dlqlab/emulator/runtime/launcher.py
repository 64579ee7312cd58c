"""Gives a function process Lambda's file system and then becomes its command: the first code of such a process.

Started as ``python -I -S launcher.py ROOT TASK OPT TMP LANG PASSWD RUNTIME BOOTSTRAP WRAPPER WATCH COMMAND...``. With
an empty ROOT the file system stays the machine's. Otherwise user and mounts get namespaces of their own, which needs no
privileges: ROOT becomes the root of what the process sees, with the function's code at /var/task, its layers at /opt,
the runtime's packages at /var/runtime, the interpreter at /var/lang, a /tmp of its own, and the rest of the machine
below. As on Lambda all but /tmp is read-only and the user is number 993. Network and processes are the machine's.

WRAPPER is AWS_LAMBDA_EXEC_WRAPPER ("Modifying the runtime environment", AWS Lambda developer guide) or empty; what is
said of one that cannot run, and the exit status, are those of the start script in AWS's images for Python.

WATCH is empty, or the file descriptor of a lifeline: then the command runs below this process, which ends with it as it
does, and ends it when the emulator is gone. So it is with programs that know nothing of lifelines.
"""

import _thread
import ctypes
import os
import resource
import signal
import sys

FAILED = 213
"""Exit status of a process that could not be given its file system; MARK begins what it says about that."""
INVALID_ENTRYPOINT = 214
"""Exit status where the command that is watched cannot be run; MARK begins why, in Lambda's words."""
MARK = "dlqlab launcher: "
HOSTS = "hosts"
"""Name of the file beside PASSWD that functions see as their table of hosts, where there is one."""
USER, GROUP = 993, 990
DESCRIPTORS = 1024
"""Files and connections that a function may have open ("Lambda quotas", AWS Lambda developer guide)."""
BYTECODE = "/var/pycache"
"""Where code and packages can be written to, for the interpreter's bytecode."""

_BIND, _REC, _SLAVE = 0x1000, 0x4000, 0x80000
_NOT_EXECUTABLE, _NOT_FOUND = 126, 127
_SYS_MOUNT_SETATTR = 442  # the same on all architectures; the C library has no function for it before glibc 2.36
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_ATTR_RDONLY = 1
_OWN_IN_VAR = {"task", "runtime", "lang", "pycache"}
_OWN_IN_ROOT = {"var", "opt", "tmp", "node_modules"}
_PROCESSORS = {62: "x86_64", 183: "aarch64"}
"""By the number in an executable's head (System V ABI, ``e_machine``)."""
_LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    root, task, opt, tmp, lang, passwd, runtime, bootstrap, wrapper, watch, *command = sys.argv[1:]
    if root:
        try:
            _isolate()
            _build(root, task, opt, tmp, lang, passwd, runtime, bootstrap)
            os.chroot(root)
            os.chdir("/var/task")
        except OSError as error:
            os.write(2, f"{MARK}{error}\n".encode())
            os._exit(FAILED)
    else:
        os.chdir(os.environ["PWD"])
    most = min(DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if watch:
        _watch(int(watch), command)
    _become(wrapper, command)


def _isolate() -> None:
    """User and mounts of its own."""
    user, group = os.geteuid(), os.getegid()
    os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{USER} {user} 1"), ("gid_map", f"{GROUP} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    _mount("none", "/", None, _REC | _SLAVE)


def _build(root: str, task: str, opt: str, tmp: str, lang: str, passwd: str, runtime: str, bootstrap: str) -> None:
    _mount("tmpfs", root, "tmpfs", 0, "size=1m,mode=0755")
    _mirror("/", root, _OWN_IN_ROOT)
    os.mkdir(f"{root}/var")
    _mirror("/var", f"{root}/var", _OWN_IN_VAR)
    for name in ("opt", "tmp", "var/task", "var/runtime", "var/lang", "var/pycache", "var/pycache/task"):
        os.mkdir(f"{root}/{name}")
    os.mkdir(f"{root}{BYTECODE}/runtime")
    _bind(task, f"{root}/var/task")
    _bind_lang(lang, f"{root}/var/lang")
    if opt:
        _bind(opt, f"{root}/opt")
    if bootstrap:
        _bind_any(bootstrap, f"{root}/var/runtime/bootstrap.py")
    if os.path.exists(f"{root}/etc/passwd"):
        _bind(passwd, f"{root}/etc/passwd")
    hosts = os.path.join(os.path.dirname(passwd), HOSTS)
    if os.path.exists(hosts) and os.path.exists(f"{root}/etc/hosts"):
        _bind(hosts, f"{root}/etc/hosts")
    packages = [(entry.name, os.path.realpath(entry.path)) for entry in os.scandir(runtime)]
    for name, target in packages:
        _bind_any(target, f"{root}/var/runtime/{name}")
        _make_like(target, f"{root}{BYTECODE}/runtime/{name}")
    if "NODE_PATH" in os.environ:
        _link_modules(root, os.environ["NODE_PATH"])
    _make_read_only(root)
    _bind(tmp, f"{root}/tmp")  # noqa: S108  (the function's own)
    if not bootstrap:
        return
    _bind(task, f"{root}{BYTECODE}/task")
    for name, target in packages:
        _bind(target, f"{root}{BYTECODE}/runtime/{name}")


def _mirror(source: str, target: str, left_out: set[str]) -> None:
    """Show what lies in a folder of the machine, but for some of it, by the same names."""
    for entry in os.scandir(source):
        if entry.name in left_out:
            continue
        path = f"{target}/{entry.name}"
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), path)
        elif entry.is_dir():
            os.mkdir(path)
            try:
                _bind(entry.path, path)
            except OSError:  # another user's mount, for instance
                continue  # it stays an empty folder


def _make_like(source: str, target: str) -> None:
    if os.path.isdir(source):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))


def _bind_lang(lang: str, target: str) -> None:
    """A folder, or a single executable in its ``bin``; some programs have neither."""
    if os.path.isdir(lang):
        _bind(lang, target)
    elif lang:
        os.mkdir(f"{target}/bin")
        _bind_any(lang, f"{target}/bin/{os.path.basename(lang)}")


def _link_modules(root: str, node_path: str) -> None:
    """Links to the packages of NODE_PATH in a folder above all code, where ES modules look for packages.

    Lambda's runtime lets them look in NODE_PATH, as Node.js itself does for require alone.
    """
    target = f"{root}/node_modules"
    os.mkdir(target)
    for folder in node_path.split(":"):
        if os.path.basename(folder) != "node_modules" or not os.path.isdir(f"{root}{folder}"):
            continue
        for name in os.listdir(f"{root}{folder}"):
            if name.startswith("@"):
                os.makedirs(f"{target}/{name}", exist_ok=True)
                names = [f"{name}/{package}" for package in os.listdir(f"{root}{folder}/{name}")]
            else:
                names = [name]
            for package in names:
                if not os.path.lexists(f"{target}/{package}"):
                    os.symlink(f"{folder}/{package}", f"{target}/{package}")


def _bind_any(source: str, target: str) -> None:
    _make_like(source, target)
    _bind(source, target)


def _bind(source: str, target: str) -> None:
    _mount(source, target, None, _BIND | _REC)


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    if _LIBC.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]):
        raise OSError(ctypes.get_errno(), f"mount: {os.strerror(ctypes.get_errno())}", target)


def _make_read_only(path: str) -> None:
    """The folder and all that is mounted below it."""
    attributes = (ctypes.c_uint64 * 4)(_ATTR_RDONLY, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    arguments = (_AT_FDCWD, os.fsencode(path), _AT_RECURSIVE, ctypes.byref(attributes), size)
    if _LIBC.syscall(ctypes.c_long(_SYS_MOUNT_SETATTR), *arguments):
        raise OSError(ctypes.get_errno(), f"mount_setattr: {os.strerror(ctypes.get_errno())}", path)


def _become(wrapper: str, command: list[str]) -> None:
    if wrapper:
        if not os.path.isfile(wrapper):
            _refuse(f"{wrapper}: does not exist", _NOT_FOUND)
        if not os.access(wrapper, os.X_OK):
            _refuse(f"{wrapper}: is not an executable", _NOT_EXECUTABLE)
        command = [wrapper, *command]
    try:
        os.execv(command[0], command)  # noqa: S606  (no shell is wanted)
    except OSError as error:  # a wrapper without a first line that names its interpreter
        _refuse(f"{command[0]}: {error.strerror}", _NOT_EXECUTABLE)


def _watch(lifeline_fd: int, command: list[str]) -> None:
    """Run the command below this process, and end as it does."""
    child = os.fork()
    if not child:
        os.close(lifeline_fd)
        _run(command[0], command)
    _thread.start_new_thread(_end_with, (lifeline_fd,))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL) if os.WTERMSIG(status) != signal.SIGKILL else None
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def _end_with(lifeline_fd: int) -> None:
    """End this process and all below it when the emulator is gone."""
    os.read(lifeline_fd, 1)
    os.killpg(0, signal.SIGKILL)


def _run(path: str, command: list[str]) -> None:
    """Become an executable; where it cannot be one, say why as Lambda does."""
    if not os.path.isfile(path):
        text = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    else:
        try:
            os.execv(path, command)  # noqa: S606  (no shell is wanted)
        except OSError as error:
            text = f"fork/exec {path}: {str(error.strerror).lower()}{_foreign(path)}"
    os.write(2, f"{MARK}{text}\n".encode())
    os._exit(INVALID_ENTRYPOINT)


def _foreign(path: str) -> str:
    """What an executable was built for, where that is not this machine."""
    try:
        with open(path, "rb") as file:
            head = file.read(20)
    except OSError:  # not to be read: what was said is all
        return ""
    built_for = _PROCESSORS.get(int.from_bytes(head[18:20], "little")) if head.startswith(b"\x7fELF") else None
    here = os.uname().machine
    return f" (it is built for {built_for}, and this machine is {here})" if built_for not in {None, here} else ""


def _refuse(text: str, status: int) -> None:
    os.write(1, f"{text}\n".encode())
    os._exit(status)


if __name__ == "__main__":
    main()
