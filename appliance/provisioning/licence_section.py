"""The table [licence] of a provisioning file: a licence that was brought, or where to ask for one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from appliance.host import file_lock, openssl
from appliance.licensing import csr, pending
from appliance.licensing.claims import InvalidLicenceError
from appliance.licensing.csr import Enrolment
from appliance.settings.schema import Home

USUAL = "licence.pem"  # taken without being named
KEYS = ("file", "text", "enrolment_url", "enrolment_code")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of the licence; nothing where both are None."""

    brought: bytes | None = field(default=None, repr=False)
    enrolment: Enrolment | None = None


def files(data: Mapping[str, object], folder: Path) -> Iterator[Path]:
    """The licence beside the provisioning file."""
    table = data.get("licence")
    named = table.get("file") if isinstance(table, dict) else None
    name = named if isinstance(named, str) else USUAL
    path = folder / Path(name).name  # nothing but what lies beside it
    if path.name == name and path.is_file():
        yield path


def checked(home: Home, table: object, brought: Mapping[str, bytes]) -> tuple[Wish, list[str]]:
    """What it says, and what is wrong with it."""
    if not isinstance(table, dict):
        return Wish(), ["licence: must be a table"]
    unknown = [f"licence.{key}: unknown; there are {', '.join(KEYS)}" for key in table if key not in KEYS]
    untold = [
        f"licence.{key}: must be text in quotes"
        for key, value in table.items()
        if key in KEYS and not isinstance(value, str)
    ]
    if unknown or untold:
        return Wish(), [*unknown, *untold]
    name, text = str(table.get("file", "")), str(table.get("text", ""))
    if name and name not in brought:
        return Wish(), [f"licence.file: there is no file {name} beside the provisioning file"]
    data = text.encode() if text else next(iter(brought.values()), None)
    url, code = str(table.get("enrolment_url", "")), str(table.get("enrolment_code", ""))
    wrong = list(_wrong_licence(home, data)) if data is not None else []
    if url or code:
        wrong += list(_wrong_enrolment(url, code))
    if url and data is not None:
        wrong.append("licence.enrolment_url: leave it out, as there is a licence already")
    return Wish(data, Enrolment(url, code) if url else None), wrong


def take_over(home: Home, wish: Wish) -> None:
    """Raises OSError, openssl.Failed, lock.Busy."""
    if wish.brought is not None:
        pending.put(home.folder, wish.brought)
    if wish.enrolment is not None:
        asked = csr.read_request(home.folder)
        csr.get_or_create(home.folder, asked.plug_id if asked else csr.generate_plug_id())
        csr.save_enrolment(home.folder, wish.enrolment)


def _wrong_licence(home: Home, data: bytes) -> Iterator[str]:
    try:
        pending.check(home.folder, data)
    except InvalidLicenceError as error:
        yield f"licence: {error}"
    except (OSError, file_lock.Busy, openssl.Failed) as error:
        yield f"licence: cannot be checked: {error}"


def _wrong_enrolment(url: str, code: str) -> Iterator[str]:
    if problem := csr.url_problem(url):
        yield f"licence.enrolment_url: {problem}"
    if problem := csr.code_problem(code):
        yield f"licence.enrolment_code: {problem}"
