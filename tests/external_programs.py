"""Find the external programs that the repository's Python code, shell scripts, units and Makefile call."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from requirements import tools
from tests.children import ROOT

Words = list[str | None]  # of a command; None: known at run time only

PYTHON = ("appliance", "image/tools", "requirements", "tests")
MACHINE = ("/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/")
SHELL = re.compile(rb"#!.*\b(ba)?sh\b")
INITRD = (
    "image/boot/init"  # runs with busybox's applets alone; image/tools/modules.py links those that it calls
)
STARTERS = {
    *(f"subprocess.{name}" for name in ("run", "Popen", "call", "check_call", "check_output")),
    *("asyncio.create_subprocess_exec", "shutil.which", "children.running"),
}
# The repository's own functions that run the command they are given, and where they are called.
RUNNERS = {
    "appliance/host": {"_run"},
    "appliance/privileged": {"run", "follow"},
    "image/tools": {"_output"},
    "tests/image": {"tool", "missing", "do"},
    "tests/systemd": {"do"},
    "tests/host/test_data_partition.py": {"tool"},
    "tests/cli/test_plugs.py": {"run", "command"},
}
LOADS_MODULES = "tests/image/test_build.py"  # its `tool` loads a module of image/tools
# These start the command that follows their options.
PREFIXES = {"command", "env", "exec", "fakeroot", "nsenter", "setpriv", "systemd-run", "timeout", "unshare"}
# What Debian always has: its essential packages, and awk and apt's own dpkg.
ESSENTIAL = {
    "bash": "bash",
    "coreutils": "basename cat chmod chown cp cut date dd dirname echo env head id install ln ls mkdir mktemp"
    " mv paste readlink rm sha256sum sleep stat sync tail touch true truncate",
    "dash": "sh",
    "diffutils": "cmp",
    "dpkg": "dpkg dpkg-deb",
    "findutils": "find",
    "grep": "grep",
    "mawk": "awk",
    "sed": "sed",
    "tar": "tar",
    "util-linux": "blockdev mountpoint nsenter partx pivot_root setpriv unshare",
}
OWN = {"printmonitor"}  # scripts of pyproject.toml
BUILTINS = frozenset(
    (
        *(
            ":",
            "[",
            ".",
            "alias",
            "cd",
            "compgen",
            "complete",
            "compopt",
            "continue",
            "declare",
            "echo",
            "eval",
        ),
        *("exit", "export", "false", "getopts", "local", "mapfile", "printf", "pwd", "read", "return", "set"),
        *("shift", "source", "test", "trap", "true", "type", "umask", "unset", "wait"),
    )
)


def called() -> dict[str, set[str]]:
    """Return each program that is called, with the files that call it."""
    found: dict[str, set[str]] = {}
    for path in tracked():
        for command in _commands(path):
            for program in programs(command):
                found.setdefault(program, set()).add(path)
    return found


def quoted() -> set[str]:
    """Return all string literals of the Python code, for programs that are handed on as names or paths."""
    return {
        node.value
        for path in tracked()
        if path.startswith(PYTHON) and path.endswith(".py")
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def tracked() -> list[str]:
    """Return the files of the repository."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(path for path in done.stdout.splitlines() if (ROOT / path).is_file())


def is_shell_script(path: str) -> bool:
    """Return whether the first line of the file names a shell."""
    with (ROOT / path).open("rb") as file:
        return SHELL.match(file.readline(80)) is not None


class Undeclared(Exception):
    """A program was called that requirements/tools.tsv does not declare."""


def watch() -> None:
    """From now on refuse programs of the machine that are not declared, as far as this process starts them.

    For what no look at the code can find, such as a command that a test puts together.
    """
    if not _watching:
        _watching.append(True)
        sys.addaudithook(_refuse_undeclared)


_watching: list[bool] = []
_known = {name for names in ESSENTIAL.values() for name in names.split()} | {
    each.program for each in tools.declared()
}


def _refuse_undeclared(event: str, arguments: tuple[object, ...]) -> None:
    if event != "subprocess.Popen":
        return
    executable, _, _, environment = arguments
    name = os.fsdecode(executable)  # type: ignore[arg-type]
    path = environment.get("PATH") if isinstance(environment, dict) else None
    found = shutil.which(name, path=path) or ""
    known = Path(found).name in _known or found == sys.executable
    if found.startswith(MACHINE) and not known and _is_ours(sys._getframe(1)):
        raise Undeclared(f"{name} is called, but requirements/tools.tsv does not declare it")


def _is_ours(frame: FrameType | None) -> bool:
    """Return whether code of the repository called subprocess or asyncio, not that of a library."""
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in ("subprocess", "asyncio"):
        frame = frame.f_back
    place = Path(frame.f_code.co_filename) if frame else Path("/")
    return place.is_relative_to(ROOT) and not place.is_relative_to(sys.prefix)


def _commands(path: str) -> Iterator[Words]:
    file = ROOT / path
    if path.startswith(PYTHON) and path.endswith(".py"):
        yield from python_commands(file.read_text(), path)
    elif path == "Makefile":
        yield from shell_commands(_recipes(file.read_text()))
    elif path.startswith(("systemd/", "rootfs-overlay/")) and not (file.stat().st_mode & 0o111):
        for line in re.findall(r"^Exec\w+=[-+!@:]*(\S.*)", file.read_text(), re.MULTILINE):
            yield list(line.split())
    elif path != INITRD and is_shell_script(path):
        yield from shell_commands(file.read_text())


def _recipes(makefile: str) -> str:
    """Return the commands of a Makefile, with `./X` in the place of make's variables."""
    text = "".join(re.findall(r"^\t[@+-]*(.*\n)", makefile, re.MULTILINE))
    while (filled := re.sub(r"(?<!\$)\$\([^()]*\)", "./X", text)) != text:
        text = filled
    return text.replace("$$", "$")


def programs(command: Words) -> Iterator[str]:
    """Return the program, and those that it starts by itself; leave out the repository's own."""
    words = list(command)
    while words and (name := words[0]) is not None:
        own = "/" in name and (not name.startswith("/") or (ROOT / "rootfs-overlay" / name[1:]).exists())
        program = name if name.startswith("/lib/") else name.rpartition("/")[2]
        if program not in {"command", "exec", *OWN} and not own:
            yield program
        if words[1:3] == ["netns", "exec"]:
            words = words[4:]
        elif name in PREFIXES:
            words = words[1:]
            while words and words[0] is not None and (words[0].startswith("-") or "=" in words[0]):
                words = words[1:]
        else:
            return


# Shell


def shell_commands(script: str) -> Iterator[Words]:
    """Return the simple commands of a shell script, without calls of its own functions."""
    done = subprocess.run(["shfmt", "--to-json"], input=script, capture_output=True, text=True, check=True)
    nodes = list(_nodes(json.loads(done.stdout)))
    functions = {node["Name"]["Value"] for node in nodes if node.get("Type") == "FuncDecl"}
    for node in nodes:
        if node.get("Type") == "CallExpr" and node.get("Args"):
            words = [_literal(word) for word in node["Args"]]
            if words[0] not in functions | BUILTINS:
                yield words


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _literal(word: dict[str, list[dict[str, str]]]) -> str | None:
    if all(part["Type"] in ("Lit", "SglQuoted") for part in word["Parts"]):
        return "".join(part.get("Value", "") for part in word["Parts"])
    return None


# Python


def python_commands(source: str, path: str) -> Iterator[Words]:
    """Return the commands that a module gives to subprocess and shutil.which, as far as it names them."""
    runners = {name for place, names in RUNNERS.items() if path.startswith(place) for name in names}
    if path == LOADS_MODULES:
        runners = set()
    module = ast.parse(source)
    for scope, call in _calls(module):
        name = ast.unparse(call.func)
        if name in STARTERS or (call.args and name.rpartition(".")[2] in runners):
            yield from _started(call, [scope, module])


def _calls(module: ast.Module) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Return each call, with the function that it is in."""
    functions = [
        node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    inside = {id(node): function for function in functions for node in ast.walk(function)}
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield inside.get(id(node), module), node


def _started(call: ast.Call, scopes: list[ast.AST]) -> Iterator[Words]:
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Name) and (row := _iterated(first.id, scopes)) is not None:
        names: list[Any] = row.keys if isinstance(row, ast.Dict) else getattr(row, "elts", [])
        yield from (
            [each] for name in names for each in _words(name, scopes)
        )  # for tool in TOOLS: which(tool)
        return
    words = [word for argument in call.args for word in _words(argument, scopes)]
    yield words
    for shell, option, script in zip(words, words[1:], words[2:], strict=False):
        if shell in ("sh", "bash") and option == "-c" and script:
            with suppress(
                subprocess.CalledProcessError
            ):  # a fragment, or arithmetic that only the values complete
                yield from shell_commands(script)


def _iterated(name: str, scopes: list[ast.AST]) -> ast.expr | None:
    for scope in scopes:
        for node in ast.walk(scope):
            if isinstance(node, ast.comprehension | ast.For) and name in _bound(node.target):
                source = node.iter
                if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute):
                    source = source.func.value  # TOOLS.items()
                return _assigned(source.id, scopes) if isinstance(source, ast.Name) else source
    return None


def _bound(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _assigned(name: str, scopes: list[ast.AST]) -> ast.expr | None:
    """Return the value that a name or an attribute (self.name) has first."""
    for scope in scopes:
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
                return node.value
    return None


def _words(value: ast.expr, scopes: list[ast.AST]) -> Words:
    """Return the words of a command; None for each that only a run of the code could tell."""
    words: Words = [None]
    match value:
        case ast.Constant(value=str(text)):
            words = [text]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            words = [word for part in parts for word in _words(part, scopes)]
        case ast.Starred(value=part):
            words = _words(part, scopes)
        case ast.Name() | ast.Attribute():
            found = _assigned(ast.unparse(value), scopes)
            words = [None] if found is None or found is value else _words(found, scopes)
        case ast.JoinedStr(values=parts):
            words = ["".join(str(part.value) if isinstance(part, ast.Constant) else "./X" for part in parts)]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            words = [*_words(left, scopes), *_words(right, scopes)]  # two lists
        case ast.Call(func=ast.Attribute(value=text, attr="split")):
            words = [word for each in _words(text, scopes) for word in (each or "").split()]
        case ast.IfExp(body=one, orelse=other):
            words = _words(one, scopes) or _words(other, scopes)
    return words
