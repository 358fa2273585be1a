"""What can be typed behind the commands that take more than a word."""

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
LICENCE_ACTIONS = ("status", "request", "install", "enrol")
LICENCE_WAYS = ("online", "file", "keep", "later")


def take_licence(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", nargs="?", choices=LICENCE_ACTIONS, default="status", help="status is the default"
    )
    parser.add_argument("file", metavar="FILE", nargs="?", help="for install: the licence file, or -")
    parser.add_argument("--output", metavar="FILE", help="for request: write into FILE")
    _take_enrolment(parser, "--url")


def take_wizard(parser: argparse.ArgumentParser) -> None:
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


def take_plugs(parser: argparse.ArgumentParser) -> None:
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


def take_bind(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bind", metavar="ADDRESS", type=_address, help="listen at this address only, not at all"
    )


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
