"""Writes the man page, the shells' completions and the reference pages from the code and its data.

`python docs/generate.py` writes them anew; a test fails where they are out of date.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER.parent), str(FOLDER)]

from counters_reference import counters_by_vendor  # noqa: E402  beside this file

from appliance import __main__ as command_line  # noqa: E402  from this checkout

ALIASES = {"pm_wizard": "wizard", "testapp": "test", "pm_import_printers": "import-printers"}
FOLDERS, FILES = ("DIR",), ("FILE",)


@dataclass(frozen=True)
class Argument:
    flags: tuple[str, ...]  # () for one that has its place
    shown: str  # what stands for its value; "" where it takes none
    choices: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Command:
    name: str
    text: str
    arguments: tuple[Argument, ...]

    @property
    def flags(self) -> list[Argument]:
        return [each for each in self.arguments if each.flags]

    @property
    def words(self) -> list[str]:
        """What may be typed that is known beforehand."""
        placed = [choice for each in self.arguments if not each.flags for choice in each.choices]
        return placed + [flag for each in self.flags for flag in each.flags]


def commands() -> list[Command]:
    found = []
    for name, (text, take, _) in command_line.COMMANDS.items():
        parser = argparse.ArgumentParser(prog=name, add_help=False)
        take(parser)
        found.append(Command(name, text, tuple(map(_argument, parser._actions))))
    return found


def _argument(action: argparse.Action) -> Argument:
    choices = tuple(map(str, action.choices or ()))
    shown = "" if action.nargs == 0 else str(action.metavar or "|".join(choices) or action.dest.upper())
    if isinstance(action, argparse.BooleanOptionalAction):
        shown = ""
    return Argument(tuple(action.option_strings), shown, choices, action.help or "")


# The man page


def man() -> str:
    parts = [line for each in commands() for line in _man_command(each)]
    return (FOLDER / "printmonitor.1.in").read_text().replace("@COMMANDS@", "\n".join(parts))


def _man_command(command: Command) -> Iterator[str]:
    yield f".SS {_roff(command.name)}"
    yield f"{_roff(command.text[0].upper() + command.text[1:])}."
    for each in command.arguments:
        yield ".TP"
        names = ", ".join(f"\\fB{_roff(flag)}\\fR" for flag in each.flags)
        shown = f"\\fI{_roff(each.shown)}\\fR" if each.shown else ""
        yield " ".join(part for part in (names, shown) if part)
        yield _roff(each.text) or "as the word says"


def _roff(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")


# bash


def bash() -> str:
    everything = commands()
    names = "|".join(each.name for each in everything)
    lines = [
        "# Completion of bash for printmonitor. Written by docs/generate.py.",
        "_printmonitor() {",
        "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}",
        "    local command='' word before='' words=''",
        "    COMPREPLY=()",
        "    case ${COMP_WORDS[0]##*/} in",
        *(f"        {alias}) command='{name}' ;;" for alias, name in ALIASES.items()),
        "    esac",
        '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        "        if [[ -z $command && $before != --state ]]; then",
        f"            case $word in {names}) command=$word ;; esac",
        "        fi",
        "        before=$word",
        "    done",
        "    case $command:$previous in",
        '        *:--state) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;',
        *(f"        {line}" for each in everything for line in _bash_values(each)),
        "    esac",
        "    case $command in",
        f'        "") words="{" ".join(each.name for each in everything)} --state --version --help" ;;',
        *(f'        {each.name}) words="{" ".join([*each.words, "--help"])}" ;;' for each in everything),
        "    esac",
        '    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")',
        "}",
        f"complete -o default -F _printmonitor printmonitor {' '.join(ALIASES)}",
        'complete -W "query discover --state --version --help" pm_query',
    ]
    return "\n".join(lines) + "\n"


def _bash_values(command: Command) -> Iterator[str]:
    for each in command.flags:
        if not each.shown or each.shown in FOLDERS:
            continue
        case = "|".join(f"{command.name}:{flag}" for flag in each.flags)
        if each.choices:
            words = " ".join(each.choices)
            yield f'{case}) mapfile -t COMPREPLY < <(compgen -W "{words}" -- "$current"); return ;;'
        elif each.shown in FILES:
            yield f'{case}) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;'
        else:
            yield f"{case}) compopt +o default; return ;;"


# zsh


def zsh() -> str:
    everything = commands()
    lines = [
        f"#compdef printmonitor pm_query {' '.join(ALIASES)}",
        "# Completion of zsh for printmonitor. Written by docs/generate.py.",
        "_printmonitor() {",
        "    local curcontext=$curcontext state line",
        "    local -A opt_args",
        "    local -a commands=(",
        *(f"        {_quoted(f'{each.name}:{each.text}')}" for each in everything),
        "    )",
        "    case $service in",
        *(f"        {alias}) _printmonitor_command {name}; return ;;" for alias, name in ALIASES.items()),
        "    esac",
        "    _arguments -C '--state[state folder]:DIR:_directories' '--version[show the version]' \\",
        "        '--help[show the help]' '1:command:->command' '*::argument:->argument'",
        "    case $state in",
        "        command) _describe command commands ;;",
        "        argument) _printmonitor_command $words[1] ;;",
        "    esac",
        "}",
        "_printmonitor_command() {",
        "    case $1 in",
        *(line for each in everything for line in _zsh_command(each)),
        "    esac",
        "}",
        '_printmonitor "$@"',
    ]
    return "\n".join(lines) + "\n"


def _zsh_command(command: Command) -> Iterator[str]:
    yield f"        {command.name})"
    arguments = [f"            {_quoted(line)}" for line in _zsh_arguments(command)]
    yield " \\\n".join(["            _arguments", *arguments]) + " ;;"


def _zsh_arguments(command: Command) -> Iterator[str]:
    for each in command.arguments:
        text = each.text.translate(str.maketrans("[]:", "();"))
        values = f"({' '.join(each.choices)})" if each.choices else "_files" if _is_file(each) else " "
        values = "_directories" if each.shown in FOLDERS else values
        for flag in each.flags:
            yield f"{flag}[{text}]" + (f":{each.shown.lower()}:{values}" if each.shown else "")
        if not each.flags:
            place = "*" if each.shown.startswith("LIST") else ":"
            yield f"{place}:{text}:{values}"


def _is_file(argument: Argument) -> bool:
    return argument.shown in FILES or argument.shown.startswith("LIST")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# fish


def fish() -> str:
    lines = ["# Completion of fish for printmonitor. Written by docs/generate.py."]
    everything = commands()
    for each in everything:
        lines.append(
            f"complete -c printmonitor -f -n __fish_use_subcommand -a {each.name} -d {_quoted(each.text)}"
        )
    for each in everything:
        lines += _fish_command(f"-c printmonitor -n '__fish_seen_subcommand_from {each.name}'", each)
    for alias, name in ALIASES.items():
        lines += _fish_command(f"-c {alias}", next(each for each in everything if each.name == name))
    lines.append("complete -c pm_query -f -a 'query discover'")
    return "\n".join(lines) + "\n"


def _fish_command(which: str, command: Command) -> Iterator[str]:
    for each in command.arguments:
        choices = f" -a {_quoted(' '.join(each.choices))}" if each.choices else ""
        for flag in each.flags:
            value = (" -r" if _is_file(each) or each.shown in FOLDERS else " -x") if each.shown else ""
            yield f"complete {which} -l {flag.lstrip('-')}{value}{choices} -d {_quoted(each.text)}"
        if not each.flags and each.choices:
            yield f"complete {which}{choices}"


WRITTEN = {
    "printmonitor.1": man,
    "completion/printmonitor.bash": bash,
    "completion/_printmonitor": zsh,
    "completion/printmonitor.fish": fish,
    "reference/counters-by-vendor.md": counters_by_vendor,
}

if __name__ == "__main__":
    for name, write in WRITTEN.items():
        (FOLDER / name).write_text(write())
