"""An update is looked at, installed into the other slot and put on trial: root's part, as it was ordered.

RAUC does the work, and refuses by itself what is not signed by its keyring, made for another device, or older
than the system (min-bundle-version). It is asked beforehand all the same: nothing is touched for a bundle
that will be refused, and whoever ordered it gets one line that says why.
"""

import json
import logging
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from appliance.host import semver
from appliance.privileged import job_files, update_progress, update_trial
from appliance.privileged.request_handler import Failed, Refused, Run, opened_answers, put
from appliance.privileged.update_progress import Teller
from appliance.privileged.update_trial import Trial

SLOTS = "slots"  # the answer that tells what is in them
UPLOADED = Path("var/lib/printmonitor/updates/upload.raucb")
SERVICE = ("de.pengutronix.rauc", "/", "de.pengutronix.rauc.Installer")
MOST_TEXT = 300  # characters of a line of RAUC's

log = logging.getLogger(__name__)

# What RAUC 1.13 says, and what that means to a person. The first that fits counts.
_MEANS = (
    (
        r"Compatible mismatch: Expected '(.*?)' but bundle manifest has '(.*?)'",
        r"it is for another device (\2), not for this one (\1)",
    ),
    (
        r"Version mismatch: Expected at least '(.*?)' but bundle manifest has '(.*?)'",
        r"it is version \2, older than the installed \1",
    ),
    (
        r"unable to get (local )?issuer|self[- ]signed certificate|unable to verify|not trusted",
        "it is not signed by this Plug's provider",
    ),
    (r"certificate has expired|not yet valid", "its signature does not count at the Plug's present time"),
    (r"unsuitable certificate purpose", "its signer's certificate is not made for signing updates"),
    (r"too small for image", "it does not fit into the slot"),
    (
        r"signature verification failed|[Dd]igest failure|no content|CMS",
        "its signature is wrong: it was changed or damaged",
    ),
    (
        r"[Ss]ignature size|multiple of 4|too small|[Ii]nvalid (bundle|identifier)|manifest|Bundle format",
        "it is no update of a Plug, or is damaged",
    ),
    (
        r"[Ii]nput/output error|[Vv]erity|[Cc]heck .* failed between",
        "it is damaged: what it holds is not what was signed",
    ),
    (r"unauthorized", "the server asks for a login"),
    (r"not found", "the server does not have it"),
    (r"already processing", "another update is being installed"),
    (r"No space left", "there is no room for it"),
)


class Follow(Protocol):
    """Runs a command and gives its lines as they come; raises Failed where it fails."""

    def __call__(self, *command: str) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True)
class Slots:
    """What RAUC says of the box."""

    compatible: str
    booted: str  # A B
    other: str
    other_version: str  # "" where nobody knows: the slot as the card was flashed
    other_state: str  # good bad


@dataclass(frozen=True, slots=True)
class Order:
    place: str  # a URL, or a path
    older: bool
    reboot: bool
    action: str


def run_order(
    answers: Path,
    run: Run,
    follow: Follow,
    now: Callable[[], datetime],
    *,
    folder: Path = job_files.FOLDER,
    root: Path = Path("/"),
) -> None:
    """Do what was ordered, if anything, and tell how it went and what is in the slots. Raises OSError."""
    told = job_files.take(update_progress.NAME, folder)
    if told is None:
        update_progress.conclude(answers)
    tell = Teller(answers, now, told or {})
    try:
        slots = _slots(run)
        if told is not None:
            place = str(root / UPLOADED) if told["source"] == "upload" else told["source"]
            order = Order(place, told["older"] == "yes", told["reboot"] == "yes", told["action"])
            _install(order, slots, tell, run, follow, root=root)
            slots = _slots(run)
        _tell_slots(answers, slots, root)
    except (Failed, Refused) as why:  # is told where it is looked for, and is no fault of the unit
        log.warning("update: %s", why)
        if told is not None:
            tell("refused" if isinstance(why, Refused) else "failed", text=str(why))


def follow(*command: str) -> Iterator[str]:
    """The lines of a command as it prints them. Raises Failed."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            yield from process.stdout or ()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise Failed(f"{command[0]} failed")


def meaning(said: str) -> str:
    """What a person can do with a message of RAUC's."""
    for known, means in _MEANS:
        if found := re.search(known, said):
            return found.expand(means)
    return f"RAUC says: {' '.join(said.split())[:MOST_TEXT]}"


def _install(order: Order, slots: Slots, tell: Teller, run: Run, follow: Follow, *, root: Path) -> None:
    tell("looking", percent=0)
    compatible, version = _looked_at(order, run)
    tell.version = version
    installed = system_version(root)
    if compatible != slots.compatible:
        raise Refused(f"it is for another device ({compatible}), not for this one ({slots.compatible})")
    if not order.older:
        _check_version(version, installed)
    marker = Trial(
        from_slot=slots.booted,
        from_version=installed,
        to_slot=slots.other,
        to_version=version,
        at=tell.now().isoformat(),
        boot=update_trial.boot_id(root),
        action=order.action,
    )
    update_trial.begin(
        marker, root
    )  # before: else a power cut after RAUC's last step would leave nobody to judge
    tell("installing", percent=0)
    try:
        _follow_install(order, tell, follow)
    except BaseException:
        update_trial.remove(root)
        raise
    update_trial.begin(replace(marker, installed=True), root)
    tell("installed", percent=100)
    if order.reboot:
        run("systemctl", "--no-block", "reboot")


def _looked_at(order: Order, run: Run) -> tuple[str, str]:
    """The device that it is for, and its version; its signature is right. Raises Failed, Refused."""
    if order.place.startswith("/") and not Path(order.place).is_file():
        raise Refused("there is no uploaded update")
    command = ("busctl", "--system", "--json=short", "--timeout=80", "call", *SERVICE)
    try:
        said = run(*command, "InspectBundle", "sa{sv}", order.place, "0")
    except Failed as error:
        raise Refused(meaning(str(error).partition("Call failed: ")[2] or str(error))) from error
    try:
        update = _plain(json.loads(said)["data"][0])["update"]
        return str(update["compatible"]), str(update.get("version") or "")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Failed("RAUC's answer is not understood") from error


def _check_version(version: str, installed: str) -> None:
    """Raises Refused."""
    try:
        if semver.is_older(version, installed):
            raise Refused(f"it is version {version}, older than the installed {installed}")
        if not semver.is_older(installed, version):
            raise Refused(f"version {version} is installed already")
    except semver.BadVersion as error:
        raise Refused(f"its version cannot be compared: {error}") from error


def _follow_install(order: Order, tell: Teller, follow: Follow) -> None:
    """Raises Failed."""
    wish = ("--ignore-version-limit",) if order.older else ()
    last = ""
    try:
        for line in follow("rauc", "install", *wish, order.place):
            if found := re.match(r"\s*(\d{1,3})% (.*)", line):
                tell("installing", percent=min(100, int(found[1])), step=found[2].strip()[:MOST_TEXT])
            elif found := re.search(r"LastError: (.*)|Failed to contact rauc service: (.*)", line):
                last = found[1] or found[2]
    except Failed as error:
        raise Failed(meaning(last) if last else str(error)) from error


def _slots(run: Run) -> Slots:
    """Raises Failed."""
    try:
        said = json.loads(run("rauc", "status", "--detailed", "--output-format=json"))
        found = [slot for each in said["slots"] for slot in each.values() if slot.get("bootname")]
        other = next(slot for slot in found if slot["bootname"] != said["booted"])
        bundle = other.get("slot_status", {}).get("bundle", {})
        return Slots(
            compatible=str(said["compatible"]),
            booted=str(said["booted"]),
            other=str(other["bootname"]),
            other_version=str(bundle.get("version") or ""),
            other_state=str(other.get("boot_status") or ""),
        )
    except (ValueError, LookupError, TypeError, AttributeError, StopIteration) as error:
        raise Failed("RAUC does not say what is in the slots") from error


def _tell_slots(answers: Path, slots: Slots, root: Path) -> None:
    told = {
        "booted": slots.booted,
        "version": system_version(root),
        "other": slots.other,
        "other_version": slots.other_version,
        "other_state": slots.other_state,
        "boot": update_trial.boot_id(root),
    }
    with opened_answers(answers) as opened:
        put(opened, f"{SLOTS}.json", json.dumps(told))


def system_version(root: Path = Path("/")) -> str:
    """What os-release(5) says."""
    with suppress(OSError, UnicodeDecodeError):
        for line in (root / "etc/os-release").read_text().splitlines():
            if line.startswith("VERSION_ID="):
                return line.partition("=")[2].strip("\"' ")
    return ""


def _plain(value: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Tables of values out of busctl's JSON, which tells the type of each."""
    tables = {name: _bare(table) for name, table in value.items()}
    return {
        name: {key: _bare(each) for key, each in table.items()}
        for name, table in tables.items()
        if isinstance(table, dict)
    }


def _bare(value: object) -> object:
    """A value without its type; a variant in a variant has two."""
    while isinstance(value, dict) and value.keys() == {"type", "data"}:
        value = value["data"]
    return value
