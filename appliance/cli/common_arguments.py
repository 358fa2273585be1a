"""Define the arguments of all subcommands."""

import argparse
import ipaddress

WIZARD_FLAGS = {
    "site": ("NAME", "name of this site"),
    "range": ("ADDRESSES", "what to search for printers: ranges, addresses, names, separated by commas"),
    "community": ("NAME", "SNMP community to read with"),
    "query-every": ("TIME", "time between two queries, such as 1h"),
    "discover-at": ("TIMES", "times of day for a discovery, such as 02:00, separated by commas; or never"),
    "time-zone": ("ZONE", "such as Europe/Zurich"),
    "transmission": ("MODE", "https, mail or off"),
    "mail-host": ("HOST", "mail server"),
    "mail-port": ("N", "its port"),
    "mail-security": ("KIND", "none, starttls or tls"),
    "mail-username": ("NAME", "user name there"),
    "mail-password": ("WORD", "password there; other users of this computer may see it while this runs"),
    "mail-sender": ("ADDRESS", "mail address of this Plug"),
    "mail-recipient": ("ADDRESSES", "mail addresses of the provider, separated by commas"),
}
STATE_HELP = "state folder; else $PRINTMONITOR_STATE, else /var/lib/printmonitor, else ./state"
LICENCE_ACTIONS = ("status", "request", "install", "enrol")
LICENCE_METHODS = ("online", "file", "keep", "later")


def add_state_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", metavar="DIR", default=argparse.SUPPRESS, help=STATE_HELP)


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")


def add_state_and_json_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_argument(parser)
    add_json_argument(parser)


def add_test_arguments(parser: argparse.ArgumentParser) -> None:
    add_printer_arguments(parser)
    add_json_argument(parser)


def add_record_arguments(parser: argparse.ArgumentParser) -> None:
    add_printer_arguments(parser)
    parser.add_argument("--mask", action="store_true", help="make up serial numbers, names and addresses")
    parser.add_argument("--output", metavar="FILE", help="write into FILE instead of standard output")


def add_printer_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", metavar="HOST", help="address or DNS name")
    parser.add_argument(
        "version",
        metavar="VERSION",
        nargs="?",
        type=_parse_snmp_version,
        default="auto",
        help="auto (the default), 1 or 2",
    )
    parser.add_argument(
        "community", metavar="COMMUNITY", nargs="?", default="public", help="community to read with; public"
    )
    parser.add_argument(
        "--port", metavar="N", type=_parse_port, default=161, help="UDP port of the agent; 161"
    )


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_argument(parser)
    parser.add_argument("--output", metavar="FILE", help="write into FILE instead of standard output")


def add_licence_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_and_json_arguments(parser)
    parser.add_argument(
        "action", nargs="?", choices=LICENCE_ACTIONS, default="status", help="status is the default"
    )
    parser.add_argument("file", metavar="FILE", nargs="?", help="for install: the licence file, or -")
    parser.add_argument("--output", metavar="FILE", help="for request: write into FILE")
    _add_enrolment_arguments(parser, "--url")


def add_wizard_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_argument(parser)
    for name, (shown, text) in WIZARD_FLAGS.items():
        parser.add_argument(f"--{name}", metavar=shown, help=text)
    parser.add_argument("--licence", choices=LICENCE_METHODS, help="how to get the licence")
    parser.add_argument("--licence-file", metavar="FILE", help="the licence file to install")
    _add_enrolment_arguments(parser, "--enrolment-url")
    for name, text in (("discover", "search for printers at the end"), ("test", "send a test delivery")):
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, help=text)
    parser.add_argument("--yes", action="store_true", help="accept what is offered; ask nothing")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--licence-only", action="store_true", help="the licence alone: get it or renew it")
    only.add_argument("--schedule-only", action="store_true", help="the schedule alone")


def _add_enrolment_arguments(parser: argparse.ArgumentParser, flag: str) -> None:
    parser.add_argument(flag, metavar="URL", help="the provider's address for enrolments")
    parser.add_argument("--code", metavar="CODE", help="the enrolment code that the provider gave")


def add_import_printers_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s LIST [EXCLUSIONS] [USER PASSWORD] [--dry-run] [--force] [--json] [--state DIR]"
    parser.add_argument(
        "lists",
        nargs="+",
        metavar="LIST [EXCLUSIONS] [USER PASSWORD]",
        help="CSV file; entries of it to leave out; login of the printers' web pages, for all entries",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
    parser.add_argument("--force", action="store_true", help="also if most imported entries would go")
    add_state_and_json_arguments(parser)


def add_outbox_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_and_json_arguments(parser)
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "show", "retry", "test"),
        default="list",
        help="list is the default",
    )
    parser.add_argument("parcel", metavar="ID", nargs="?", help="a parcel; for retry also: all")


def add_counters_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_and_json_arguments(parser)
    parser.add_argument("printer", metavar="PRINTER", help="its number, serial number, address or name")
    parser.add_argument(
        "--confirm",
        metavar="COUNTER",
        nargs="*",
        help="believe the held value of these counters; without a name, of all",
    )


def add_traps_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_and_json_arguments(parser)
    what = parser.add_mutually_exclusive_group()
    for action, text in (
        ("enable", "switch the trap receiver on"),
        ("disable", "switch it off"),
        ("list", "show the traps that came lately"),
    ):
        what.add_argument(f"--{action}", dest="action", action="store_const", const=action, help=text)
    parser.add_argument(
        "--port", metavar="N", type=_parse_port, help="UDP port to listen on; else traps.port"
    )


def add_web_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_argument(parser)
    parser.add_argument("--port", metavar="N", type=_parse_port, help="TCP port to listen on; else web.port")
    parser.add_argument(
        "--bind", metavar="ADDRESS", type=_parse_ip_address, help="listen at this address only, not at all"
    )


def add_plugs_arguments(parser: argparse.ArgumentParser) -> None:
    add_json_argument(parser)
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_parse_timeout,
        default=3.0,
        help="how long to wait for answers, 0.1 to 60; 3",
    )
    parser.add_argument(
        "--interface",
        metavar="ADDRESS",
        type=_parse_ip_address,
        help="ask from this address only, not from all",
    )


def add_privileged_action_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_argument(parser)
    parser.add_argument(
        "action",
        choices=(
            "apply",
            "fetch",
            "health",
            "network",
            "network-try",
            "provision",
            "request",
            "revive",
            "update",
        ),
    )


def _parse_snmp_version(text: str) -> str:
    version = {"auto": "auto", "1": "1", "2": "2", "2c": "2"}.get(text.lower().removeprefix("v"))
    if version is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no SNMP version; right would be auto, 1 or 2")
    return version


def _parse_port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; right would be 1 to 65535")
    return int(text)


def _parse_timeout(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0.1 <= seconds <= 60:  # also not a number
        raise argparse.ArgumentTypeError(f"{text!r} is no such time; right would be 0.1 to 60 seconds")
    return seconds


def _parse_ip_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no address") from None
