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
from appliance.net.text_sanitizer import printable

if TYPE_CHECKING:
    from appliance.settings.paths import Home

DEFAULT_STATE_DIR = Path("/var/lib/printmonitor")
EXIT_INTERRUPTED = 130  # what shells expect of a program that SIGINT ended
EXIT_BROKEN_PIPE = 141  # and of one that SIGPIPE ended

EXIT_CODES_HELP = (
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
    typed = _build_parser(program).parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that is not UTF-8 must not end the command
            stream.reconfigure(errors="backslashreplace")
    try:
        code: int = typed.do(typed)
        if sys.stdout:  # a shell may have closed it
            sys.stdout.flush()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the exit would complain once more
        return EXIT_BROKEN_PIPE
    except Exception as error:
        return _report_error(program, error)
    return code


def _report_error(program: str, error: Exception) -> int:
    """Say in one line each what a person can mend; anything else is a fault of ours, with its traceback."""
    from appliance.cli import errors, terminal

    lines = errors.format_error(error)
    if not lines:
        raise error
    for line in lines:
        terminal.print_message(f"{program}: {terminal.sanitize(line)}")
    return 2


def _run_query_or_discover(args: argparse.Namespace) -> int:
    from appliance.cli import runs

    return runs.run(_resolve_home(args), args.command, args.json)


def _run_test(args: argparse.Namespace) -> int:
    from appliance.cli import test

    return test.run(args.host, args.version, args.community, args.port, args.json)


def _run_record(args: argparse.Namespace) -> int:
    from appliance.cli import record

    return record.run(
        args.host,
        args.version,
        args.community,
        args.port,
        mask=args.mask,
        output=args.output,
    )


def _run_export(args: argparse.Namespace) -> int:
    from appliance.cli import export

    return export.run(_resolve_home(args), args.output)


def _run_outbox(args: argparse.Namespace) -> int:
    from appliance.cli import outbox

    return outbox.run(_resolve_home(args), args.action, args.parcel, args.json)


def _run_import_printers_command(args: argparse.Namespace) -> int:
    from appliance.cli import import_printers

    return import_printers.run(
        _resolve_home(args), args.lists, dry_run=args.dry_run, force=args.force, as_json=args.json
    )


def _run_counters(args: argparse.Namespace) -> int:
    from appliance.cli import counters

    return counters.run(_resolve_home(args), args.printer, args.confirm, args.json)


def _run_status(args: argparse.Namespace) -> int:
    from appliance.cli import status

    return status.run(_resolve_home(args), args.json)


def _run_check(args: argparse.Namespace) -> int:
    from appliance.cli import check

    return check.run(_resolve_home(args), args.json)


def _run_licence(args: argparse.Namespace) -> int:
    from appliance.cli import licence

    home = _resolve_home(args)
    match args.action:
        case "request":
            return licence.write_request(home, args.output)
        case "install":
            return licence.install_licence(home, args.file)
        case "enrol":
            return licence.enrol_plug(home, args.url, args.code)
    return licence.show_status(home, args.json)


def _run_wizard_command(args: argparse.Namespace) -> int:
    from appliance.cli import wizard, wizard_prompts

    return wizard.run(_resolve_home(args), wizard_prompts.WizardFlags.from_arguments(vars(args)))


def _run_poller(args: argparse.Namespace) -> int:
    from appliance.cli import poller

    return poller.run_poller(_resolve_home(args))


def _run_traps(args: argparse.Namespace) -> int:
    from appliance.cli import traps

    return traps.run_traps(_resolve_home(args), args.action, args.port, args.json)


def _run_web(args: argparse.Namespace) -> int:
    from appliance.cli import web

    return web.run_web(_resolve_home(args), args.port, args.bind)


def _run_plugs(args: argparse.Namespace) -> int:
    from appliance.cli import plugs

    return plugs.run(args.timeout, args.interface, args.json)


def _run_privileged_action(args: argparse.Namespace) -> int:
    from appliance.cli import privileged

    return privileged.run_action(_resolve_home(args), args.action)


def _resolve_home(args: argparse.Namespace) -> "Home":
    """Return the state folder: as asked for, else the Plug's own, else ./state of a checkout."""
    from appliance.settings.paths import Home

    asked = args.state or os.environ.get("PRINTMONITOR_STATE")
    if asked:
        return Home(Path(asked))
    return Home(DEFAULT_STATE_DIR if os.access(DEFAULT_STATE_DIR, os.W_OK | os.X_OK) else Path("state"))


class _OneLineErrorParser(argparse.ArgumentParser):
    """Says in one line what is wrong, instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(message, '?')} (see {self.prog} --help)\n")


def _build_parser(program: str) -> argparse.ArgumentParser:
    parser = _OneLineErrorParser(
        prog=program, description=PROGRAM_DESCRIPTIONS[program], epilog=EXIT_CODES_HELP, allow_abbrev=False
    )
    if program in SINGLE_COMMAND_PROGRAMS:
        take, do = SINGLE_COMMAND_PROGRAMS[program]
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


PROGRAM_DESCRIPTIONS = {
    "printmonitor": "Finds the printers of a LAN, reads them, and reports them to a print-service provider.",
    "pm_query": "Reads the known printers, or discovers printers, then exports and transmits.",
    "testapp": "Shows everything about one printer, and what it cost to ask; stores nothing.",
    "pm_import_printers": "Maintains the discovery entries by a CSV list.",
    "pm_wizard": "Settings and licence in a few questions, then a discovery and a test delivery.",
}
AddArguments = Callable[[argparse.ArgumentParser], None]
CommandHandler = Callable[[argparse.Namespace], int]
COMMANDS: dict[str, tuple[str, AddArguments, CommandHandler]] = {
    "query": (
        "read all known printers, then export and transmit",
        common_arguments.add_state_and_json_arguments,
        _run_query_or_discover,
    ),
    "discover": (
        "scan the discovery entries, then export and transmit",
        common_arguments.add_state_and_json_arguments,
        _run_query_or_discover,
    ),
    "test": (
        "show everything about one printer; store nothing",
        common_arguments.add_test_arguments,
        _run_test,
    ),
    "record": (
        "write all that a printer's agent holds, to be replayed",
        common_arguments.add_record_arguments,
        _run_record,
    ),
    "export": ("write the XML as it would be sent", common_arguments.add_export_arguments, _run_export),
    "import-printers": (
        "maintain discovery entries by a CSV list",
        common_arguments.add_import_printers_arguments,
        _run_import_printers_command,
    ),
    "outbox": (
        "list the parcels, show or retry one, or test the transmission",
        common_arguments.add_outbox_arguments,
        _run_outbox,
    ),
    "counters": (
        "show a printer's page counters; confirm held ones",
        common_arguments.add_counters_arguments,
        _run_counters,
    ),
    "status": (
        "show the state of the Plug at a glance",
        common_arguments.add_state_and_json_arguments,
        _run_status,
    ),
    "licence": (
        "show the licence; request, install or renew one",
        common_arguments.add_licence_arguments,
        _run_licence,
    ),
    "wizard": (
        "ask for settings and licence, then try them",
        common_arguments.add_wizard_arguments,
        _run_wizard_command,
    ),
    "check": ("name the problems of the settings", common_arguments.add_state_and_json_arguments, _run_check),
    "poller": ("run the service that keeps the schedule", common_arguments.add_state_argument, _run_poller),
    "traps": (
        "run the trap receiver, or switch it on or off",
        common_arguments.add_traps_arguments,
        _run_traps,
    ),
    "web": ("run the service of the page", common_arguments.add_web_arguments, _run_web),
    "plugs": ("find the Plugs of this LAN", common_arguments.add_plugs_arguments, _run_plugs),
    "box": (
        "do root's part of the Plug's own units",
        common_arguments.add_privileged_action_arguments,
        _run_privileged_action,
    ),
}
SINGLE_COMMAND_PROGRAMS: dict[str, tuple[AddArguments, CommandHandler]] = {
    "testapp": (common_arguments.add_test_arguments, _run_test),
    "pm_import_printers": (common_arguments.add_import_printers_arguments, _run_import_printers_command),
    "pm_wizard": (common_arguments.add_wizard_arguments, _run_wizard_command),
}


if __name__ == "__main__":
    run()
