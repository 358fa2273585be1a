"""Run `printmonitor licence`: print its status, request one, install one, get one by enrolment."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from appliance.cli import state_dir, terminal
from appliance.cli.errors import CommandError
from appliance.delivery import enrolment_client, licence_policy
from appliance.delivery.errors import DeliveryDeferredError, DeliveryError, DeliveryNotConfiguredError
from appliance.host import file_lock, openssl
from appliance.licensing import csr, installer, verifier
from appliance.licensing import status as standing
from appliance.licensing.claims import InvalidLicenceError, Licence
from appliance.licensing.csr import Enrolment
from appliance.licensing.status import LicenceStatus
from appliance.settings import schema
from appliance.settings.schema import Config, Home

EXIT_OK, EXIT_NOT_SENT = 0, 3


def show_status(home: Home, as_json: bool) -> int:
    """Print the status."""
    status = standing.get_status(state_dir.require_existing(home).folder, datetime.now(UTC))
    if as_json:
        terminal.print_json(serialize_status(status))
        return EXIT_OK
    terminal.print_line(f"Licence       {terminal.sanitize(status.text)}")
    if status.licence:
        _print_claims(status.licence)
    return EXIT_OK


def serialize_status(licence_status: LicenceStatus) -> dict[str, terminal.Json]:
    """Return the status as JSON, without the key."""
    facts = licence_status.licence
    return {
        "state": licence_status.state,
        "text": licence_status.text,
        "sends": licence_status.allows_sending,
        "plug_id": facts.plug_id if facts else None,
        "customer": facts.customer if facts else None,
        "partner": facts.partner if facts else None,
        "printers": facts.printers if facts else None,
        "valid_from": facts.valid_from.isoformat() if facts else None,
        "valid_until": facts.valid_until.isoformat() if facts else None,
        "upload_url": facts.upload_url if facts else None,
        "enrolment_url": facts.enrolment_url if facts else None,
    }


def _print_claims(claims: Licence) -> None:
    rows = (
        ("Plug", claims.plug_id),
        ("Customer", claims.customer),
        ("Partner", claims.partner or "-"),
        ("Printers", "any number" if claims.printers is None else f"up to {claims.printers:,}"),
        ("Valid", f"{claims.valid_from:%Y-%m-%d} to {claims.valid_until:%Y-%m-%d}"),
        ("Parcels to", claims.upload_url),
        ("Renewed at", claims.enrolment_url or "nowhere: the next licence comes by file"),
    )
    for title, value in rows:
        terminal.print_line(f"{title:13} {terminal.sanitize(value)}")


def write_request(home: Home, output: str | None) -> int:
    """Write the certificate request, to be sent to the provider by other means."""
    request = get_or_create_request(home)
    if output is None:
        terminal.print_bytes(request.pem.encode())
    else:
        Path(output).write_text(request.pem)
        terminal.print_line(f"{output}: the request of {request.plug_id}")
    terminal.print_message("send this to the provider, then: printmonitor licence install FILE")
    return EXIT_OK


def get_or_create_request(home: Home) -> csr.CertificateRequest:
    """Return the pending request, or a new one. Raise CommandError."""
    folder = state_dir.ensure_created(home).folder
    try:
        present = standing.get_status(folder, datetime.now(UTC)).licence
        waiting = csr.read_request(folder)
        plug_id = present.plug_id if present else waiting.plug_id if waiting else csr.generate_plug_id()
        return csr.get_or_create(folder, plug_id)
    except (openssl.OpensslError, file_lock.LockBusyError) as error:
        raise CommandError(str(error)) from error


def install_licence(home: Home, file: str | None) -> int:
    """Install a licence file; `-` is standard input."""
    if file is None:
        raise CommandError("licence install needs the licence file, or - for standard input")
    print_installed(home, install_licence_file(home, file), schema.load_last_good_settings(home)[0])
    return EXIT_OK


def install_licence_file(home: Home, file: str) -> Licence:
    """Install a licence and return it. Raise CommandError if it is rejected."""
    most = verifier.MAX_LICENCE_BYTES + 1
    if file == "-":
        data = sys.stdin.buffer.read(most) if sys.stdin else b""  # None if the shell closed it
    else:
        with Path(file).open("rb") as opened:
            data = opened.read(most)
    try:
        return installer.install(state_dir.ensure_created(home).folder, data, datetime.now(UTC))
    except (InvalidLicenceError, file_lock.LockBusyError) as error:
        raise CommandError(str(error)) from error


def enrol_plug(home: Home, url: str | None, code: str | None) -> int:
    """Get a licence from the provider by HTTPS; without a code, as a Plug that it already knows."""
    settings = schema.load_settings(state_dir.ensure_created(home))
    try:
        licence = asyncio.run(renew_or_enrol(home, settings, url, code))
    except DeliveryNotConfiguredError as error:
        raise CommandError(str(error)) from error
    except DeliveryError as error:
        terminal.print_message(f"no licence: {terminal.sanitize(str(error))}")
        return EXIT_NOT_SENT
    if licence is None:
        terminal.print_line(
            "The provider has the request, and has not decided yet; the poller service asks again."
        )
    else:
        print_installed(home, licence, settings)
    return EXIT_OK


async def renew_or_enrol(home: Home, settings: Config, url: str | None, code: str | None) -> Licence | None:
    """Return the new licence, or None while the decision is pending. Raise DeliveryError, CommandError."""
    now = datetime.now(UTC)
    present = standing.get_status(home.folder, now).licence
    try:
        if present and present.enrolment_url and code is None and url in (None, present.enrolment_url):
            return await enrolment_client.renew(home, settings, present, now)
        enrolment = _resolve_enrolment(home, url, code)
        try:
            return await enrolment_client.enrol(home, settings, enrolment, now)
        except DeliveryDeferredError as error:
            csr.save_enrolment(home.folder, enrolment)  # the poller service asks again
            if isinstance(error, enrolment_client.EnrolmentPendingError):
                return None
            raise
    except InvalidLicenceError as error:
        raise CommandError(str(error)) from error


def _resolve_enrolment(home: Home, url: str | None, code: str | None) -> Enrolment:
    waiting = csr.load_enrolment(home.folder)
    if url is None and waiting is None:
        raise CommandError("the provider's enrolment URL is missing (--url), and its code (--code)")
    known = waiting or Enrolment("", "")
    return Enrolment(known.url if url is None else url, known.code if code is None else code)


def print_installed(home: Home, licence: Licence, settings: Config) -> None:
    until = f"valid until {licence.valid_until:%Y-%m-%d}"
    terminal.print_line(
        f"The licence of {terminal.sanitize(licence.customer)} for {licence.plug_id} is installed, {until}."
    )
    obstacle = licence_policy.find_obstacle(home, settings, datetime.now(UTC))
    if obstacle:
        terminal.print_message(f"{terminal.sanitize(obstacle.text)} printmonitor wizard changes that.")
