"""The `printmonitor` command: what can be typed, and which module does it."""

# ruff: noqa: PLC0415  each command imports what it needs itself, so that none pays for another

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from appliance import __version__
from appliance.cli import common_arguments

if TYPE_CHECKING:
    from appliance.settings.paths import Home

PLUG_STATE = Path("/var/lib/printmonitor")
INTERRUPTED = 130  # what shells expect of a program that SIGINT ended
BROKEN_PIPE = 141  # and of one that SIGPIPE ended

EXIT_CODES = (
    "exit codes: 0 done; 1 some printers failed (they are named); 2 wrong usage or settings; "
    "3 transmission failed (the parcel is kept)"
)


def run() -> None:
    """Be `printmonitor`."""
    sys.exit(main(sys.argv[1:]))


def run_query() -> None:
    """Be the reference's `pm_query [query | discover]`."""
    sys.exit(main(sys.argv[1:], program="pm_query"))


def run_testapp() -> None:
    """Be the reference's `testapp HOST VERSION COMMUNITY`."""
    sys.exit(main(sys.argv[1:], program="testapp"))


def run_import_printers() -> None:
    """Be the reference's `pm_import_printers LIST EXCLUSIONS USER PASSWORD`."""
    sys.exit(main(sys.argv[1:], program="pm_import_printers"))


def run_wizard() -> None:
    """Be the reference's `pm_wizard`."""
    sys.exit(main(sys.argv[1:], program="pm_wizard"))


def main(arguments: Sequence[str], program: str = "printmonitor") -> int:
    """Do one command; return its exit code."""
    typed = _parser(program).parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that is not UTF-8 must not end the command
            stream.reconfigure(errors="backslashreplace")
    try:
        code: int = typed.do(typed)
        if sys.stdout:  # a shell may have closed it
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the exit would complain once more
        return BROKEN_PIPE
    except Exception as error:
        return _explain(program, error)
    return code


def _explain(program: str, error: Exception) -> int:
    """Say in one line each what a person can mend; anything else is a fault of ours, with its traceback."""
    from appliance.cli import errors, terminal

    lines = errors.lines(error)
    if not lines:
        raise error
    for line in lines:
        terminal.tell(f"{program}: {terminal.clean(line)}")
    return 2


def _round(typed: argparse.Namespace) -> int:
    from appliance.cli import runs

    return runs.run(_home(typed), typed.command, typed.json)


def _test(typed: argparse.Namespace) -> int:
    from appliance.cli import test

    return test.run(typed.host, typed.version, typed.community, typed.port, typed.json)


def _record(typed: argparse.Namespace) -> int:
    from appliance.cli import record

    return record.run(
        typed.host,
        typed.version,
        typed.community,
        typed.port,
        mask=typed.mask,
        output=typed.output,
    )


def _export(typed: argparse.Namespace) -> int:
    from appliance.cli import export

    return export.run(_home(typed), typed.output)


def _outbox(typed: argparse.Namespace) -> int:
    from appliance.cli import outbox

    return outbox.run(_home(typed), typed.action, typed.parcel, typed.json)


def _import_printers(typed: argparse.Namespace) -> int:
    from appliance.cli import import_printers

    return import_printers.run(
        _home(typed), typed.lists, dry_run=typed.dry_run, force=typed.force, as_json=typed.json
    )


def _counters(typed: argparse.Namespace) -> int:
    from appliance.cli import counters

    return counters.run(_home(typed), typed.printer, typed.confirm, typed.json)


def _status(typed: argparse.Namespace) -> int:
    from appliance.cli import status

    return status.run(_home(typed), typed.json)


def _check(typed: argparse.Namespace) -> int:
    from appliance.cli import check

    return check.run(_home(typed), typed.json)


def _licence(typed: argparse.Namespace) -> int:
    from appliance.cli import licence

    home = _home(typed)
    match typed.action:
        case "request":
            return licence.ask(home, typed.output)
        case "install":
            return licence.take(home, typed.file)
        case "enrol":
            return licence.enrol_here(home, typed.url, typed.code)
    return licence.show(home, typed.json)


def _wizard(typed: argparse.Namespace) -> int:
    from appliance.cli import wizard, wizard_prompts

    return wizard.run(_home(typed), wizard_prompts.Flags.of(vars(typed)))


def _poller(typed: argparse.Namespace) -> int:
    from appliance.cli import poller

    return poller.run(_home(typed))


def _traps(typed: argparse.Namespace) -> int:
    from appliance.cli import traps

    return traps.run(_home(typed), typed.action, typed.port, typed.json)


def _web(typed: argparse.Namespace) -> int:
    from appliance.cli import web

    return web.run(_home(typed), typed.port, typed.bind)


def _plugs(typed: argparse.Namespace) -> int:
    from appliance.cli import plugs

    return plugs.run(typed.timeout, typed.interface, typed.json)


def _box(typed: argparse.Namespace) -> int:
    from appliance.cli import privileged

    return privileged.do(_home(typed), typed.action)


def _home(typed: argparse.Namespace) -> "Home":
    """Return the state folder: as asked for, else the Plug's own, else ./state of a checkout."""
    from appliance.settings.paths import Home

    asked = typed.state or os.environ.get("PRINTMONITOR_STATE")
    if asked:
        return Home(Path(asked))
    return Home(PLUG_STATE if os.access(PLUG_STATE, os.W_OK | os.X_OK) else Path("state"))


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        harmless = "".join(character if character.isprintable() else "?" for character in message)
        self.exit(2, f"{self.prog}: {harmless} (see {self.prog} --help)\n")


def _parser(program: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=program, description=PROGRAMS[program], epilog=EXIT_CODES, allow_abbrev=False)
    if program in ALONE:
        take, do = ALONE[program]
        parser.set_defaults(do=do, state=None)
        take(parser)
        return parser
    parser.add_argument("--version", action="version", version=f"PrintMonitor Plug {__version__}")
    parser.add_argument("--state", metavar="DIR", help=common_arguments.STATE_HELP)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (text, take, do) in COMMANDS.items():
        if program == "printmonitor" or name in ("query", "discover"):
            command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
            command.set_defaults(do=do)
            take(command)
    return parser


PROGRAMS = {
    "printmonitor": "Finds the printers of a LAN, reads them, and reports them to a print-service provider.",
    "pm_query": "Reads the known printers, or discovers printers, then exports and transmits.",
    "testapp": "Shows everything about one printer, and what it cost to ask; stores nothing.",
    "pm_import_printers": "Maintains the discovery entries by a CSV list.",
    "pm_wizard": "Settings and licence in a few questions, then a discovery and a test delivery.",
}
Take = Callable[[argparse.ArgumentParser], None]
Do = Callable[[argparse.Namespace], int]
COMMANDS: dict[str, tuple[str, Take, Do]] = {
    "query": (
        "read all known printers, then export and transmit",
        common_arguments.take_state_and_json,
        _round,
    ),
    "discover": (
        "scan the discovery entries, then export and transmit",
        common_arguments.take_state_and_json,
        _round,
    ),
    "test": ("show everything about one printer; store nothing", common_arguments.take_test, _test),
    "record": (
        "write all that a printer's agent holds, to be replayed",
        common_arguments.take_record,
        _record,
    ),
    "export": ("write the XML as it would be sent", common_arguments.take_export, _export),
    "import-printers": (
        "maintain discovery entries by a CSV list",
        common_arguments.take_import_printers,
        _import_printers,
    ),
    "outbox": (
        "list the parcels, show or retry one, or test the transmission",
        common_arguments.take_outbox,
        _outbox,
    ),
    "counters": (
        "show a printer's page counters; confirm held ones",
        common_arguments.take_counters,
        _counters,
    ),
    "status": ("show the state of the Plug at a glance", common_arguments.take_state_and_json, _status),
    "licence": ("show the licence; request, install or renew one", common_arguments.take_licence, _licence),
    "wizard": ("ask for settings and licence, then try them", common_arguments.take_wizard, _wizard),
    "check": ("name the problems of the settings", common_arguments.take_state_and_json, _check),
    "poller": ("run the service that keeps the schedule", common_arguments.take_state, _poller),
    "traps": ("run the trap receiver, or switch it on or off", common_arguments.take_traps, _traps),
    "web": ("run the service of the page", common_arguments.take_web, _web),
    "plugs": ("find the Plugs of this LAN", common_arguments.take_plugs, _plugs),
    "box": ("do root's part of the Plug's own units", common_arguments.take_box, _box),
}
ALONE: dict[str, tuple[Take, Do]] = {
    "testapp": (common_arguments.take_test, _test),
    "pm_import_printers": (common_arguments.take_import_printers, _import_printers),
    "pm_wizard": (common_arguments.take_wizard, _wizard),
}


if __name__ == "__main__":
    run()
