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

if TYPE_CHECKING:
    from appliance.config import Home

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
    """Say that the reference's import list is not there yet."""
    sys.exit(_later("pm_import_printers", "the import list"))


def run_wizard() -> None:
    """Say that the reference's wizard is not there yet."""
    sys.exit(_later("pm_wizard", "the wizard"))


def _later(program: str, what: str) -> int:
    print(f"{program}: {what} comes with a later version of PrintMonitor Plug", file=sys.stderr)  # noqa: T201
    return 2


def main(arguments: Sequence[str], program: str = "printmonitor") -> int:
    """Do one command; return its exit code."""
    options = _parser(program).parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that is not UTF-8 must not end the command
            stream.reconfigure(errors="backslashreplace")
    try:
        code: int = options.do(options)
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
    from appliance.commands import terminal, trouble

    lines = trouble.lines(error)
    if not lines:
        raise error
    for line in lines:
        terminal.tell(f"{program}: {terminal.clean(line)}")
    return 2


def _round(options: argparse.Namespace) -> int:
    from appliance.commands import rounds

    return rounds.run(_home(options), options.command, options.json)


def _test(options: argparse.Namespace) -> int:
    from appliance.commands import test

    return test.run(options.host, options.version, options.community, options.port, options.json)


def _export(options: argparse.Namespace) -> int:
    from appliance.commands import export

    return export.run(_home(options), options.output)


def _outbox(options: argparse.Namespace) -> int:
    from appliance.commands import outbox

    return outbox.run(_home(options), options.action, options.parcel, options.json)


def _status(options: argparse.Namespace) -> int:
    from appliance.commands import status

    return status.run(_home(options), options.json)


def _check(options: argparse.Namespace) -> int:
    from appliance.commands import check

    return check.run(_home(options), options.json)


def _poller(options: argparse.Namespace) -> int:
    from appliance.commands import poller

    return poller.run(_home(options))


def _home(options: argparse.Namespace) -> "Home":
    """Return the state folder: as asked for, else the Plug's own, else ./state of a checkout."""
    from appliance.config import Home

    asked = options.state or os.environ.get("PRINTMONITOR_STATE")
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
    if program == "testapp":
        parser.set_defaults(do=_test)
        _take_test(parser)
        return parser
    parser.add_argument("--version", action="version", version=f"PrintMonitor Plug {__version__}")
    parser.add_argument("--state", metavar="DIR", help=STATE_HELP)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (text, take, do) in COMMANDS.items():
        if program == "printmonitor" or name in ("query", "discover"):
            command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
            command.set_defaults(do=do)
            take(command)
    return parser


def _take_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", metavar="DIR", default=argparse.SUPPRESS, help=STATE_HELP)


def _take_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")


def _take_state_and_json(parser: argparse.ArgumentParser) -> None:
    _take_state(parser)
    _take_json(parser)


def _take_test(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", metavar="HOST", help="address or DNS name")
    parser.add_argument(
        "version",
        metavar="VERSION",
        nargs="?",
        type=_version,
        default="auto",
        help="auto (the default), 1 or 2",
    )
    parser.add_argument(
        "community", metavar="COMMUNITY", nargs="?", default="public", help="community to read with; public"
    )
    parser.add_argument("--port", metavar="N", type=_port, default=161, help="UDP port of the agent; 161")
    _take_json(parser)


def _take_export(parser: argparse.ArgumentParser) -> None:
    _take_state(parser)
    parser.add_argument("--output", metavar="FILE", help="write into FILE instead of standard output")


def _take_outbox(parser: argparse.ArgumentParser) -> None:
    _take_state_and_json(parser)
    parser.add_argument(
        "action", nargs="?", choices=("list", "show", "retry"), default="list", help="list is the default"
    )
    parser.add_argument("parcel", metavar="ID", nargs="?", help="a parcel; for retry also: all")


def _version(text: str) -> str:
    version = {"auto": "auto", "1": "1", "2": "2", "2c": "2"}.get(text.lower().removeprefix("v"))
    if version is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no SNMP version; right would be auto, 1 or 2")
    return version


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; right would be 1 to 65535")
    return int(text)


STATE_HELP = "state folder; else $PRINTMONITOR_STATE, else /var/lib/printmonitor, else ./state"
PROGRAMS = {
    "printmonitor": "Finds the printers of a LAN, reads them, and reports them to a print-service provider.",
    "pm_query": "Reads the known printers, or discovers printers, then exports and transmits.",
    "testapp": "Shows everything about one printer, and what it cost to ask; stores nothing.",
}
Take = Callable[[argparse.ArgumentParser], None]
Do = Callable[[argparse.Namespace], int]
COMMANDS: dict[str, tuple[str, Take, Do]] = {
    "query": ("read all known printers, then export and transmit", _take_state_and_json, _round),
    "discover": ("scan the discovery entries, then export and transmit", _take_state_and_json, _round),
    "test": ("show everything about one printer; store nothing", _take_test, _test),
    "export": ("write the XML as it would be sent", _take_export, _export),
    "outbox": ("list the parcels, show one, or send refused ones again", _take_outbox, _outbox),
    "status": ("show the state of the Plug at a glance", _take_state_and_json, _status),
    "check": ("name the problems of the settings", _take_state_and_json, _check),
    "poller": ("run the service that keeps the schedule", _take_state, _poller),
}


if __name__ == "__main__":
    run()
