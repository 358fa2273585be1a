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
from appliance.commands import options

if TYPE_CHECKING:
    from appliance.home import Home

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


def _record(options: argparse.Namespace) -> int:
    from appliance.commands import record

    return record.run(
        options.host,
        options.version,
        options.community,
        options.port,
        mask=options.mask,
        output=options.output,
    )


def _export(options: argparse.Namespace) -> int:
    from appliance.commands import export

    return export.run(_home(options), options.output)


def _outbox(options: argparse.Namespace) -> int:
    from appliance.commands import outbox

    return outbox.run(_home(options), options.action, options.parcel, options.json)


def _import_printers(options: argparse.Namespace) -> int:
    from appliance.commands import import_printers

    return import_printers.run(
        _home(options), options.lists, dry_run=options.dry_run, force=options.force, as_json=options.json
    )


def _counters(options: argparse.Namespace) -> int:
    from appliance.commands import counters

    return counters.run(_home(options), options.printer, options.confirm, options.json)


def _status(options: argparse.Namespace) -> int:
    from appliance.commands import status

    return status.run(_home(options), options.json)


def _check(options: argparse.Namespace) -> int:
    from appliance.commands import check

    return check.run(_home(options), options.json)


def _licence(options: argparse.Namespace) -> int:
    from appliance.commands import licence

    home = _home(options)
    match options.action:
        case "request":
            return licence.ask(home, options.output)
        case "install":
            return licence.take(home, options.file)
        case "enrol":
            return licence.enrol_here(home, options.url, options.code)
    return licence.show(home, options.json)


def _wizard(options: argparse.Namespace) -> int:
    from appliance.commands import conversation, wizard

    return wizard.run(_home(options), conversation.Flags.of(vars(options)))


def _poller(options: argparse.Namespace) -> int:
    from appliance.commands import poller

    return poller.run(_home(options))


def _traps(options: argparse.Namespace) -> int:
    from appliance.commands import traps

    return traps.run(_home(options), options.action, options.port, options.json)


def _web(options: argparse.Namespace) -> int:
    from appliance.commands import web

    return web.run(_home(options), options.port, options.bind)


def _plugs(options: argparse.Namespace) -> int:
    from appliance.commands import plugs

    return plugs.run(options.timeout, options.interface, options.json)


def _box(options: argparse.Namespace) -> int:
    from appliance.commands import box

    return box.do(_home(options), options.action)


def _home(options: argparse.Namespace) -> "Home":
    """Return the state folder: as asked for, else the Plug's own, else ./state of a checkout."""
    from appliance.home import Home

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
    if program in ALONE:
        take, do = ALONE[program]
        parser.set_defaults(do=do, state=None)
        take(parser)
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
    _take_printer(parser)
    _take_json(parser)


def _take_record(parser: argparse.ArgumentParser) -> None:
    _take_printer(parser)
    parser.add_argument("--mask", action="store_true", help="make up serial numbers, names and addresses")
    parser.add_argument("--output", metavar="FILE", help="write into FILE instead of standard output")


def _take_printer(parser: argparse.ArgumentParser) -> None:
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


def _take_export(parser: argparse.ArgumentParser) -> None:
    _take_state(parser)
    parser.add_argument("--output", metavar="FILE", help="write into FILE instead of standard output")


def _take_licence(parser: argparse.ArgumentParser) -> None:
    _take_state_and_json(parser)
    options.take_licence(parser)


def _take_wizard(parser: argparse.ArgumentParser) -> None:
    _take_state(parser)
    options.take_wizard(parser)


def _take_import_printers(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s LIST [EXCLUSIONS] [USER PASSWORD] [--dry-run] [--force] [--json] [--state DIR]"
    parser.add_argument(
        "lists",
        nargs="+",
        metavar="LIST [EXCLUSIONS] [USER PASSWORD]",
        help="CSV file; entries of it to leave out; login of the printers' web pages, for all entries",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
    parser.add_argument("--force", action="store_true", help="also if most imported entries would go")
    _take_state_and_json(parser)


def _take_outbox(parser: argparse.ArgumentParser) -> None:
    _take_state_and_json(parser)
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "show", "retry", "test"),
        default="list",
        help="list is the default",
    )
    parser.add_argument("parcel", metavar="ID", nargs="?", help="a parcel; for retry also: all")


def _take_counters(parser: argparse.ArgumentParser) -> None:
    _take_state_and_json(parser)
    parser.add_argument("printer", metavar="PRINTER", help="its number, serial number, address or name")
    parser.add_argument(
        "--confirm",
        metavar="COUNTER",
        nargs="*",
        help="believe the held value of these counters; without a name, of all",
    )


def _take_traps(parser: argparse.ArgumentParser) -> None:
    _take_state_and_json(parser)
    what = parser.add_mutually_exclusive_group()
    for action, text in (
        ("enable", "switch the trap receiver on"),
        ("disable", "switch it off"),
        ("list", "show the traps that came lately"),
    ):
        what.add_argument(f"--{action}", dest="action", action="store_const", const=action, help=text)
    parser.add_argument("--port", metavar="N", type=_port, help="UDP port to listen on; else traps.port")


def _take_web(parser: argparse.ArgumentParser) -> None:
    _take_state(parser)
    parser.add_argument("--port", metavar="N", type=_port, help="TCP port to listen on; else web.port")
    options.take_bind(parser)


def _take_plugs(parser: argparse.ArgumentParser) -> None:
    _take_json(parser)
    options.take_plugs(parser)


def _take_box(parser: argparse.ArgumentParser) -> None:
    _take_state(parser)
    parser.add_argument(
        "action",
        choices=("apply", "health", "network", "network-try", "provision", "request", "revive", "update"),
    )


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
    "pm_import_printers": "Maintains the discovery entries by a CSV list.",
    "pm_wizard": "Settings and licence in a few questions, then a discovery and a test delivery.",
}
Take = Callable[[argparse.ArgumentParser], None]
Do = Callable[[argparse.Namespace], int]
COMMANDS: dict[str, tuple[str, Take, Do]] = {
    "query": ("read all known printers, then export and transmit", _take_state_and_json, _round),
    "discover": ("scan the discovery entries, then export and transmit", _take_state_and_json, _round),
    "test": ("show everything about one printer; store nothing", _take_test, _test),
    "record": ("write all that a printer's agent holds, to be replayed", _take_record, _record),
    "export": ("write the XML as it would be sent", _take_export, _export),
    "import-printers": ("maintain discovery entries by a CSV list", _take_import_printers, _import_printers),
    "outbox": ("list the parcels, show or retry one, or test the transmission", _take_outbox, _outbox),
    "counters": ("show a printer's page counters; confirm held ones", _take_counters, _counters),
    "status": ("show the state of the Plug at a glance", _take_state_and_json, _status),
    "licence": ("show the licence; request, install or renew one", _take_licence, _licence),
    "wizard": ("ask for settings and licence, then try them", _take_wizard, _wizard),
    "check": ("name the problems of the settings", _take_state_and_json, _check),
    "poller": ("run the service that keeps the schedule", _take_state, _poller),
    "traps": ("run the trap receiver, or switch it on or off", _take_traps, _traps),
    "web": ("run the service of the page", _take_web, _web),
    "plugs": ("find the Plugs of this LAN", _take_plugs, _plugs),
    "box": ("do root's part of the Plug's own units", _take_box, _box),
}
ALONE: dict[str, tuple[Take, Do]] = {
    "testapp": (_take_test, _test),
    "pm_import_printers": (_take_import_printers, _import_printers),
    "pm_wizard": (_take_wizard, _wizard),
}


if __name__ == "__main__":
    run()
