"""An update is looked at, installed into the other slot and put on trial: root's part, as it was ordered.

RAUC does the work, and refuses by itself what is not signed by its keyring, made for another device, or older
than the system (min-bundle-version). It is asked beforehand all the same: nothing is touched for a bundle
that will be refused, and whoever ordered it gets one line that says why.
"""

import json
import logging
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from appliance.system import orders, progress, trial, versions
from appliance.system.progress import Teller
from appliance.system.requests import Failed, Refused, Run, opened_answers, put
from appliance.system.trial import Trial

SLOTS = "slots"  # the answer that tells what is in them
UPLOADED = Path("var/lib/printmonitor/updates/upload.raucb")
FETCHER = "printmonitor-fetch.service"
STREAM_PAUSES_S = (1.0, 2.0, 4.0)  # between two attempts to open a stream
SERVICE = ("de.pengutronix.rauc", "/", "de.pengutronix.rauc.Installer")
MOST_TEXT = 300  # characters of a line of RAUC's

# RAUC's steps until the first octet is written; those until the bundle is mounted come first.
_OPENING = ("Installing", "Determining slot states", "Checking bundle", "Verifying signature")
_NOTHING_WRITTEN = (*_OPENING, "Determining target install group")
# What RAUC says where it has opened the bundle and turns it down: another attempt would end the same way.
_VERDICT = re.compile(r"Bundle rejected|[Mm]ismatch|Refusing|not allowed")

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

    @property
    def is_streamed(self) -> bool:
        return not self.place.startswith("/")


@dataclass(frozen=True, slots=True)
class _Tools:
    run: Run
    follow: Follow
    sleep: Callable[[float], None]


class _NotOpened(Failed):
    """RAUC failed before it wrote anything, for a reason that may not be the bundle's."""


def run_order(
    answers: Path,
    run: Run,
    follow: Follow,
    now: Callable[[], datetime],
    *,
    folder: Path = orders.FOLDER,
    root: Path = Path("/"),
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Do what was ordered, if anything, and tell how it went and what is in the slots. Raises OSError."""
    told = orders.take(progress.NAME, folder)
    if told is None:
        progress.conclude(answers)
        with suppress(Failed):  # no RAUC, no slots
            _tell_slots(answers, _slots(run), root)
        return
    tell, tools = Teller(answers, now, told), _Tools(run, follow, sleep)
    try:
        if told["fetch"] == "yes":
            _fetch(tell, tools)
        is_here = told["fetch"] == "yes" or told["source"] == "upload"
        place = str(root / UPLOADED) if is_here else told["source"]
        order = Order(place, told["older"] == "yes", told["reboot"] == "yes", told["action"])
        _install(order, _slots(run), tell, tools, root=root)
    except (Failed, Refused) as why:  # is told where it is looked for, and is no fault of the unit
        log.warning("update: %s", why)
        tell("refused" if isinstance(why, Refused) else "failed", text=str(why))
    except OSError as error:  # else the unit would start again, and only know that it was cut off
        log.exception("update: failed")
        tell("failed", text=f"the Plug cannot install it: {error.strerror or error}")
    with suppress(Failed):  # what was told of the installation stands
        _tell_slots(answers, _slots(run), root)


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


def _install(order: Order, slots: Slots, tell: Teller, tools: _Tools, *, root: Path) -> None:
    tell("looking", percent=0)
    compatible, version = _looked_at(order, tools.run)
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
        boot=trial.boot_id(root),
        action=order.action,
    )
    trial.begin(marker, root)  # before: else a power cut after RAUC's last step would leave nobody to judge
    try:
        if order.is_streamed:
            _install_stream(order, (compatible, version), tell, tools, root)
        else:
            _follow_install(order, tell, tools.follow)
    except BaseException:
        trial.remove(root)
        raise
    trial.begin(replace(marker, installed=True), root)
    tell("installed", percent=100)
    if order.reboot:
        tools.run("systemctl", "--no-block", "reboot")


def _install_stream(order: Order, bundle: tuple[str, str], tell: Teller, tools: _Tools, root: Path) -> None:
    """Let RAUC read the bundle from its server; fetch it first where RAUC cannot. Raises Failed, Refused.

    RAUC before 1.15 loses a race with udev (https://github.com/rauc/rauc/pull/1741): it lets the kernel drop
    the network block device when nothing has it open any more, and udev opens and closes each new device to
    look at it. If udev is done before RAUC has opened the device, that is gone, and device-mapper finds one
    of no size ("Hash device is too small"). So udev is held while the bundle is opened.
    """
    for pause in (0.0, *STREAM_PAUSES_S):
        tools.sleep(pause)
        why = _stream(order, tell, tools)
        if not why:
            return
    try:
        _fetch(tell, tools)
    except Failed as error:
        raise Failed(f"it could neither be streamed ({why}) nor fetched ({error})") from error
    fetched = replace(order, place=str(root / UPLOADED))
    if _looked_at(fetched, tools.run) != bundle:
        raise Refused("the server has another bundle now")
    _follow_install(fetched, tell, tools.follow)


def _stream(order: Order, tell: Teller, tools: _Tools) -> str:
    """Return why nothing was written, or "" after an installation. Raises Failed where something was."""
    try:
        with _udev_held(tools.run) as release:
            _follow_install(order, tell, tools.follow, release)
    except _NotOpened as error:
        log.warning("update: the stream was not opened: %s", error)
        return str(error)
    return ""


def _fetch(tell: Teller, tools: _Tools) -> None:
    """Have the bundle put in the place of an uploaded one. Raises Failed.

    The unit that fetches it has the network and no privileges; this one has it the other way round.
    """
    tell("fetching", percent=0, step="")
    try:
        for _ in tools.follow("systemctl", "start", FETCHER):
            pass
    except Failed as error:
        said = tools.run("systemctl", "show", "--property=StatusText", "--value", FETCHER)
        with suppress(Failed):
            tools.run("systemctl", "reset-failed", FETCHER)
        raise Failed(" ".join(said.split())[:MOST_TEXT] or "it was cut off") from error


@contextmanager
def _udev_held(run: Run) -> Iterator[Callable[[], None]]:
    """Let udev's events wait, until the block ends or calls what it is given.

    The unit's ExecStopPost= lets udev go on where this process was killed in between.
    """
    held = True

    def release() -> None:
        nonlocal held
        if held:
            held = False
            _udev(run, "--start-exec-queue")

    _udev(run, "--stop-exec-queue")
    try:
        yield release
    finally:
        release()


def _udev(run: Run, command: str) -> None:
    try:
        run("udevadm", "control", "--timeout=10", command)
    except Failed as error:  # the race may be lost then: see what comes after it
        log.warning("update: %s", error)


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
        if versions.is_older(version, installed):
            raise Refused(f"it is version {version}, older than the installed {installed}")
        if not versions.is_older(installed, version):
            raise Refused(f"version {version} is installed already")
    except versions.BadVersion as error:
        raise Refused(f"its version cannot be compared: {error}") from error


def _follow_install(
    order: Order, tell: Teller, follow: Follow, opened: Callable[[], None] = lambda: None
) -> None:
    """Call `opened` when RAUC has mounted the bundle, at the latest when it begins to write.

    Raises Failed; _NotOpened where nothing was written.
    """
    wish = ("--ignore-version-limit",) if order.older else ()
    last, written = "", False
    tell("installing", percent=0, step="")
    try:
        for line in follow("rauc", "install", *wish, order.place):
            if found := re.match(r"\s*(\d{1,3})% (.*)", line):
                step = found[2].strip()[:MOST_TEXT]
                if not step.startswith(_OPENING):
                    opened()
                written = written or not step.startswith(_NOTHING_WRITTEN)
                tell("installing", percent=min(100, int(found[1])), step=step)
            elif found := re.search(r"LastError: (.*)|Failed to contact rauc service: (.*)", line):
                last = found[1] or found[2]
    except Failed as error:
        kind = Failed if written or _VERDICT.search(last) else _NotOpened
        raise kind(meaning(last) if last else str(error)) from error


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
        "boot": trial.boot_id(root),
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
