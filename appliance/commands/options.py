"""What can be typed behind each command."""

import argparse
import ipaddress

QUESTIONS = {
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
LICENCE_WAYS = ("online", "file", "keep", "later")


def take_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", metavar="DIR", default=argparse.SUPPRESS, help=STATE_HELP)


def take_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")


def take_state_and_json(parser: argparse.ArgumentParser) -> None:
    take_state(parser)
    take_json(parser)


def take_test(parser: argparse.ArgumentParser) -> None:
    take_printer(parser)
    take_json(parser)


def take_record(parser: argparse.ArgumentParser) -> None:
    take_printer(parser)
    parser.add_argument("--mask", action="store_true", help="make up serial numbers, names and addresses")
    parser.add_argument("--output", metavar="FILE", help="write into FILE instead of standard output")


def take_printer(parser: argparse.ArgumentParser) -> None:
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


def take_export(parser: argparse.ArgumentParser) -> None:
    take_state(parser)
    parser.add_argument("--output", metavar="FILE", help="write into FILE instead of standard output")


def take_licence(parser: argparse.ArgumentParser) -> None:
    take_state_and_json(parser)
    parser.add_argument(
        "action", nargs="?", choices=LICENCE_ACTIONS, default="status", help="status is the default"
    )
    parser.add_argument("file", metavar="FILE", nargs="?", help="for install: the licence file, or -")
    parser.add_argument("--output", metavar="FILE", help="for request: write into FILE")
    _take_enrolment(parser, "--url")


def take_wizard(parser: argparse.ArgumentParser) -> None:
    take_state(parser)
    for name, (shown, text) in QUESTIONS.items():
        parser.add_argument(f"--{name}", metavar=shown, help=text)
    parser.add_argument("--licence", choices=LICENCE_WAYS, help="how to get the licence")
    parser.add_argument("--licence-file", metavar="FILE", help="the licence file to install")
    _take_enrolment(parser, "--enrolment-url")
    for name, text in (("discover", "search for printers at the end"), ("test", "send a test delivery")):
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, help=text)
    parser.add_argument("--yes", action="store_true", help="accept what is offered; ask nothing")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--licence-only", action="store_true", help="the licence alone: get it or renew it")
    only.add_argument("--schedule-only", action="store_true", help="the schedule alone")


def _take_enrolment(parser: argparse.ArgumentParser, flag: str) -> None:
    parser.add_argument(flag, metavar="URL", help="the provider's address for enrolments")
    parser.add_argument("--code", metavar="CODE", help="the enrolment code that the provider gave")


def take_import_printers(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s LIST [EXCLUSIONS] [USER PASSWORD] [--dry-run] [--force] [--json] [--state DIR]"
    parser.add_argument(
        "lists",
        nargs="+",
        metavar="LIST [EXCLUSIONS] [USER PASSWORD]",
        help="CSV file; entries of it to leave out; login of the printers' web pages, for all entries",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
    parser.add_argument("--force", action="store_true", help="also if most imported entries would go")
    take_state_and_json(parser)


def take_outbox(parser: argparse.ArgumentParser) -> None:
    take_state_and_json(parser)
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "show", "retry", "test"),
        default="list",
        help="list is the default",
    )
    parser.add_argument("parcel", metavar="ID", nargs="?", help="a parcel; for retry also: all")


def take_counters(parser: argparse.ArgumentParser) -> None:
    take_state_and_json(parser)
    parser.add_argument("printer", metavar="PRINTER", help="its number, serial number, address or name")
    parser.add_argument(
        "--confirm",
        metavar="COUNTER",
        nargs="*",
        help="believe the held value of these counters; without a name, of all",
    )


def take_traps(parser: argparse.ArgumentParser) -> None:
    take_state_and_json(parser)
    what = parser.add_mutually_exclusive_group()
    for action, text in (
        ("enable", "switch the trap receiver on"),
        ("disable", "switch it off"),
        ("list", "show the traps that came lately"),
    ):
        what.add_argument(f"--{action}", dest="action", action="store_const", const=action, help=text)
    parser.add_argument("--port", metavar="N", type=_port, help="UDP port to listen on; else traps.port")


def take_web(parser: argparse.ArgumentParser) -> None:
    take_state(parser)
    parser.add_argument("--port", metavar="N", type=_port, help="TCP port to listen on; else web.port")
    parser.add_argument(
        "--bind", metavar="ADDRESS", type=_address, help="listen at this address only, not at all"
    )


def take_plugs(parser: argparse.ArgumentParser) -> None:
    take_json(parser)
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=3.0,
        help="how long to wait for answers, 0.1 to 60; 3",
    )
    parser.add_argument(
        "--interface", metavar="ADDRESS", type=_address, help="ask from this address only, not from all"
    )


def take_box(parser: argparse.ArgumentParser) -> None:
    take_state(parser)
    parser.add_argument(
        "action",
        choices=(
            *(
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
        ),
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


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0.1 <= seconds <= 60:  # also not a number
        raise argparse.ArgumentTypeError(f"{text!r} is no such time; right would be 0.1 to 60 seconds")
    return seconds


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no address") from None
