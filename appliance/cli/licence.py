"""`printmonitor licence`: how it stands; asks for one, takes one from a file or from the provider."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from appliance.cli import state_dir, terminal
from appliance.cli.errors import Wrong
from appliance.delivery import enrolment_client
from appliance.delivery.errors import DeliveryDeferredError, DeliveryError, DeliveryNotConfiguredError
from appliance.host import file_lock, openssl
from appliance.licensing import csr, installer, verifier
from appliance.licensing import status as standing
from appliance.licensing.claims import InvalidLicenceError, Licence
from appliance.licensing.csr import Enrolment
from appliance.licensing.status import LicenceStatus
from appliance.settings import schema
from appliance.settings.schema import Config, Home

DONE, NOT_SENT = 0, 3


def show(home: Home, as_json: bool) -> int:
    """Say how it stands."""
    found = standing.get_status(state_dir.existing(home).folder, datetime.now(UTC))
    if as_json:
        terminal.document(document(found))
        return DONE
    terminal.say(f"Licence       {terminal.clean(found.text)}")
    if found.licence:
        _show_facts(found.licence)
    return DONE


def document(found: LicenceStatus) -> dict[str, terminal.Json]:
    """The state as JSON; without the key."""
    facts = found.licence
    return {
        "state": found.state,
        "text": found.text,
        "sends": found.allows_sending,
        "plug_id": facts.plug_id if facts else None,
        "customer": facts.customer if facts else None,
        "partner": facts.partner if facts else None,
        "printers": facts.printers if facts else None,
        "valid_from": facts.valid_from.isoformat() if facts else None,
        "valid_until": facts.valid_until.isoformat() if facts else None,
        "upload_url": facts.upload_url if facts else None,
        "enrolment_url": facts.enrolment_url if facts else None,
    }


def _show_facts(facts: Licence) -> None:
    rows = (
        ("Plug", facts.plug_id),
        ("Customer", facts.customer),
        ("Partner", facts.partner or "-"),
        ("Printers", "any number" if facts.printers is None else f"up to {facts.printers:,}"),
        ("Valid", f"{facts.valid_from:%Y-%m-%d} to {facts.valid_until:%Y-%m-%d}"),
        ("Parcels to", facts.upload_url),
        ("Renewed at", facts.enrolment_url or "nowhere: the next licence comes by file"),
    )
    for title, value in rows:
        terminal.say(f"{title:13} {terminal.clean(value)}")


def ask(home: Home, output: str | None) -> int:
    """Write the certificate request for another computer to carry."""
    made = made_request(home)
    if output is None:
        terminal.raw(made.pem.encode())
    else:
        Path(output).write_text(made.pem)
        terminal.say(f"{output}: the request of {made.plug_id}")
    terminal.tell("send this to the provider, then: printmonitor licence install FILE")
    return DONE


def made_request(home: Home) -> csr.CertificateRequest:
    """The request that waits, or a new one. Raises Wrong."""
    folder = state_dir.made(home).folder
    try:
        present = standing.get_status(folder, datetime.now(UTC)).licence
        waiting = csr.read_request(folder)
        plug_id = present.plug_id if present else waiting.plug_id if waiting else csr.generate_plug_id()
        return csr.get_or_create(folder, plug_id)
    except (openssl.Failed, file_lock.Busy) as error:
        raise Wrong(str(error)) from error


def take(home: Home, file: str | None) -> int:
    """Install a licence file; `-` is standard input."""
    if file is None:
        raise Wrong("licence install needs the licence file, or - for standard input")
    tell_installed(install_file(home, file), schema.load_last_good(home)[0])
    return DONE


def install_file(home: Home, file: str) -> Licence:
    """Raises Wrong with the reason where the licence is not taken."""
    most = verifier.MAX_LICENCE_BYTES + 1
    if file == "-":
        data = sys.stdin.buffer.read(most) if sys.stdin else b""  # a shell may have closed it
    else:
        with Path(file).open("rb") as opened:
            data = opened.read(most)
    try:
        return installer.install(state_dir.made(home).folder, data, datetime.now(UTC))
    except (InvalidLicenceError, file_lock.Busy) as error:
        raise Wrong(str(error)) from error


def enrol_here(home: Home, url: str | None, code: str | None) -> int:
    """Get a licence from the provider by HTTPS; without a code, as the Plug that it knows already."""
    settings = schema.load(state_dir.made(home))
    try:
        found = asyncio.run(enrolled(home, settings, url, code))
    except DeliveryNotConfiguredError as error:
        raise Wrong(str(error)) from error
    except DeliveryError as error:
        terminal.tell(f"no licence: {terminal.clean(str(error))}")
        return NOT_SENT
    if found is None:
        terminal.say("The provider has the request, and has not decided yet; the poller service asks again.")
    else:
        tell_installed(found, settings)
    return DONE


async def enrolled(home: Home, settings: Config, url: str | None, code: str | None) -> Licence | None:
    """The new licence, or None where the provider has not decided yet. Raises NotDelivered, Wrong."""
    now = datetime.now(UTC)
    present = standing.get_status(home.folder, now).licence
    try:
        if present and present.enrolment_url and code is None and url in (None, present.enrolment_url):
            return await enrolment_client.renew(home, settings, present, now)
        enrolment = _enrolment(home, url, code)
        try:
            return await enrolment_client.enrol(home, settings, enrolment, now)
        except DeliveryDeferredError as error:
            csr.save_enrolment(home.folder, enrolment)  # the poller service asks again
            if isinstance(error, enrolment_client.EnrolmentPendingError):
                return None
            raise
    except InvalidLicenceError as error:
        raise Wrong(str(error)) from error


def _enrolment(home: Home, url: str | None, code: str | None) -> Enrolment:
    waiting = csr.load_enrolment(home.folder)
    if url is None and waiting is None:
        raise Wrong("the provider's enrolment URL is missing (--url), and its code (--code)")
    known = waiting or Enrolment("", "")
    return Enrolment(known.url if url is None else url, known.code if code is None else code)


def tell_installed(found: Licence, settings: Config) -> None:
    until = f"valid until {found.valid_until:%Y-%m-%d}"
    terminal.say(
        f"The licence of {terminal.clean(found.customer)} for {found.plug_id} is installed, {until}."
    )
    if settings.transmission.mode == "off":
        terminal.tell('transmission.mode is "off": nothing is sent; printmonitor wizard changes that')
