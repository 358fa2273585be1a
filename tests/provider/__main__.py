"""`python -m tests.provider FOLDER ...`: a provider's authority for development.

init                              makes the authority; vendor-ca.pem is what a Plug must know
sign REQUEST --upload-url URL     writes the licence for a request to standard output
serve --upload-url URL --code C   answers enrolments over HTTPS until Ctrl-C
revoke PLUG                       no licence for this Plug any more
"""

import argparse
import asyncio
import contextlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.provider.authority import Authority, Refused
from tests.provider.server import BEFORE, Enrolment, Offer


def main() -> int:
    options = _parser().parse_args()
    try:
        authority = Authority(options.folder)
        return int(options.do(authority, options))
    except (Refused, OSError) as error:
        print(f"provider: {error}", file=sys.stderr)
        return 2


def _init(authority: Authority, _: argparse.Namespace) -> int:
    print(f"PRINTMONITOR_VENDOR_CA={authority.ca_file}")
    return 0


def _sign(authority: Authority, options: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    terms = {
        "customer": options.customer,
        "partner": options.partner,
        "printers": options.printers,
        "upload_url": options.upload_url,
        "transmission_key": options.key,
        "enrolment_url": options.enrolment_url,
    }
    end = now + timedelta(days=options.days)
    licence = authority.licence(options.request.read_bytes(), terms, now - BEFORE, end)
    sys.stdout.buffer.write(licence)
    return 0


def _serve(authority: Authority, options: argparse.Namespace) -> int:
    offer = Offer(
        options.upload_url,
        options.customer,
        options.partner,
        options.printers,
        options.key,
        timedelta(days=options.days),
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_stay(authority, options, offer))
    return 0


async def _stay(authority: Authority, options: argparse.Namespace, offer: Offer) -> None:
    async with Enrolment(authority, set(options.code), offer, options.port) as server:
        print(f"enrolment at {server.url}; ca_file {authority.ca_file}", flush=True)
        await asyncio.Event().wait()


def _revoke(authority: Authority, options: argparse.Namespace) -> int:
    authority.revoke(options.plug)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.provider",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="where the authority lies")
    actions = parser.add_subparsers(required=True)
    actions.add_parser("init").set_defaults(do=_init)
    sign, serve, revoke = (actions.add_parser(name) for name in ("sign", "serve", "revoke"))
    sign.add_argument("request", type=Path)
    sign.add_argument("--enrolment-url", default="")
    serve.add_argument("--code", action="append", default=[])
    serve.add_argument("--port", type=int, default=0)
    for each in (sign, serve):
        each.add_argument("--upload-url", required=True)
        each.add_argument("--customer", default="Example AG")
        each.add_argument("--partner", default="Example Partner")
        each.add_argument("--printers", type=int, default=50)
        each.add_argument("--key", default="key-of-the-example")
        each.add_argument("--days", type=int, default=365)
    revoke.add_argument("plug")
    sign.set_defaults(do=_sign)
    serve.set_defaults(do=_serve)
    revoke.set_defaults(do=_revoke)
    return parser


if __name__ == "__main__":
    sys.exit(main())
