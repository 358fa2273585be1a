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

from appliance.domain.messages import Message, message_of
from appliance.host import semver
from appliance.privileged import job_files, update_progress, update_trial
from appliance.privileged.request_handler import (
    OperationFailedError,
    RequestRejectedError,
    RunCommand,
    open_answers_dir,
    write_answer_file,
)
from appliance.privileged.update_progress import UpdateProgressWriter
from appliance.privileged.update_trial import UpdateMarker

SLOTS_ANSWER_NAME = "slots"  # the answer that tells what is in them
UPLOADED_BUNDLE = Path("var/lib/printmonitor/updates/upload.raucb")
FETCH_UNIT = "printmonitor-fetch.service"
STREAM_RETRY_DELAYS_S = (1.0, 2.0, 4.0)  # between two attempts to open a stream
UDEV_TIMEOUT_S = 10
RAUC_DBUS_OBJECT = ("de.pengutronix.rauc", "/", "de.pengutronix.rauc.Installer")
MAX_MESSAGE_CHARS = 300  # characters of a line of RAUC's

# RAUC's steps until the bundle is mounted, and those until the first byte is written.
_STEPS_BEFORE_MOUNT = ("Installing", "Determining slot states", "Checking bundle", "Verifying signature")
_STEPS_BEFORE_WRITE = (*_STEPS_BEFORE_MOUNT, "Determining target install group")
# RAUC has opened the bundle and rejects it: another attempt would end the same way.
_REJECTION_PATTERN = re.compile(r"Bundle rejected|[Mm]ismatch|Refusing|not allowed")

log = logging.getLogger(__name__)

# What RAUC 1.13 says, and what that means to a person. The first that fits counts.
_EXPLANATIONS = (
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
        Message("update.other_provider"),
    ),
    (r"certificate has expired|not yet valid", Message("update.signature_time")),
    (r"unsuitable certificate purpose", Message("update.signer_purpose")),
    (r"too small for image", Message("update.too_large_for_slot")),
    (
        r"signature verification failed|[Dd]igest failure|no content|CMS",
        Message("update.bad_signature"),
    ),
    (
        r"[Ss]ignature size|multiple of 4|too small|[Ii]nvalid (bundle|identifier)|manifest|Bundle format",
        Message("update.no_bundle"),
    ),
    (
        r"[Ii]nput/output error|[Vv]erity|[Cc]heck .* failed between",
        Message("update.bad_checksum"),
    ),
    (r"unauthorized", Message("update.server_login")),
    (r"not found", Message("update.server_not_found")),
    (r"already processing", Message("update.already_running")),
    (r"No space left", Message("update.no_space")),
)


class StreamCommand(Protocol):
    """Runs a command and gives its lines as they come; raises Failed where it fails."""

    def __call__(self, *command: str) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True)
class RaucStatus:
    """What RAUC says of the box."""

    compatible: str
    booted: str  # A B
    other: str
    other_version: str  # "" where nobody knows: the slot as the card was flashed
    other_state: str  # good bad


@dataclass(frozen=True, slots=True)
class InstallRequest:
    location: str  # a URL, or a path
    allow_older: bool
    reboot: bool
    action: str

    @property
    def is_streamed(self) -> bool:
        return not self.location.startswith("/")


@dataclass(frozen=True, slots=True)
class _Commands:
    run: RunCommand
    stream: StreamCommand
    sleep: Callable[[float], None]


class _BundleNotOpenedError(OperationFailedError):
    """RAUC failed before it wrote anything, for a reason that may not lie in the bundle."""


def process_update_request(
    answers: Path,
    run: RunCommand,
    stream: StreamCommand,
    now: Callable[[], datetime],
    *,
    folder: Path = job_files.CHECKED_REQUESTS_DIR,
    root: Path = Path("/"),
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Do what was ordered, if anything, and tell how it went and what is in the slots. Raises OSError."""
    checked = job_files.take_checked_request(update_progress.UPDATE_NAME, folder)
    if checked is None:
        update_progress.mark_interrupted(answers)
    else:
        report = UpdateProgressWriter(answers, now, checked)
        _install_requested(checked, report, _Commands(run, stream, sleep), root)
    with suppress(OperationFailedError):  # without RAUC there are no slots; what was reported above stands
        _write_slots_answer(answers, _read_status(run), root)


def _install_requested(
    checked: Mapping[str, str], report: UpdateProgressWriter, commands: _Commands, root: Path
) -> None:
    """Install what a checked request names, and report how it ended."""
    try:
        if checked["fetch"] == "yes":
            _fetch_bundle(report, commands)
        is_local = checked["fetch"] == "yes" or checked["source"] == "upload"
        location = str(root / UPLOADED_BUNDLE) if is_local else checked["source"]
        request = InstallRequest(
            location, checked["older"] == "yes", checked["reboot"] == "yes", checked["action"]
        )
        _install_bundle(request, _read_status(commands.run), report, commands, root=root)
    except (OperationFailedError, RequestRejectedError) as error:  # no fault of the unit
        log.warning("update: %s", error)
        report("refused" if isinstance(error, RequestRejectedError) else "failed", text=str(error))
    except OSError as error:  # else the unit would start again, and only know that it was cut off
        log.exception("update: failed")
        report("failed", text=Message("update.cannot_install", reason=error.strerror or error))


def stream_command(*command: str) -> Iterator[str]:
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
        raise OperationFailedError(Message("update.command_failed", command=command[0]))


def explain_message(message: str) -> str:
    """What a person can do with a message of RAUC's."""
    for known, means in _EXPLANATIONS:
        if found := re.search(known, message):
            return found.expand(means)
    return Message("update.rauc_error", reason=" ".join(message.split())[:MAX_MESSAGE_CHARS])


def _install_bundle(
    request: InstallRequest,
    status: RaucStatus,
    report: UpdateProgressWriter,
    commands: _Commands,
    *,
    root: Path,
) -> None:
    report("looking", percent=0)
    compatible, version = _inspect_bundle(request, commands.run)
    report.version = version
    installed = read_system_version(root)
    if compatible != status.compatible:
        raise RequestRejectedError(Message("update.other_device", device=compatible, own=status.compatible))
    if not request.allow_older:
        _check_version(version, installed)
    marker = UpdateMarker(
        from_version=installed,
        to_slot=status.other,
        to_version=version,
        at=report.now().isoformat(),
        boot=update_trial.read_boot_id(root),
        action=request.action,
    )
    update_trial.write_marker(
        marker, root
    )  # before: else a power cut after RAUC's last step would leave nobody to judge
    try:
        if request.is_streamed:
            _install_stream(request, (compatible, version), report, commands, root)
        else:
            _run_installation(request, report, commands.stream)
    except BaseException:
        update_trial.remove_marker(root)
        raise
    update_trial.write_marker(replace(marker, installed=True), root)
    report("installed", percent=100)
    if request.reboot:
        commands.run("systemctl", "--no-block", "reboot")


def _install_stream(
    request: InstallRequest,
    inspected: tuple[str, str],
    report: UpdateProgressWriter,
    commands: _Commands,
    root: Path,
) -> None:
    """Let RAUC read the bundle from its server; fetch the bundle first where RAUC cannot open it.

    `inspected`: the device and version that were checked. Raises OperationFailedError, RequestRejectedError.
    RAUC before 1.15 loses a race with udev (https://github.com/rauc/rauc/pull/1741): the kernel drops the
    network block device when its last user closes it, and udev opens and closes each new device to probe it.
    If udev is done before RAUC has opened the device, the device has gone, and device-mapper finds one of no
    size ("Hash device is too small"). So udev's queue is paused while the bundle is opened.
    """
    for delay_s in (0.0, *STREAM_RETRY_DELAYS_S):
        commands.sleep(delay_s)
        failure = _try_stream(request, report, commands)
        if not failure:
            return
    try:
        _fetch_bundle(report, commands)
    except OperationFailedError as error:
        raise OperationFailedError(
            Message("update.neither_way", stream_error=failure, download_error=error)
        ) from error
    fetched = replace(request, location=str(root / UPLOADED_BUNDLE))
    if _inspect_bundle(fetched, commands.run) != inspected:
        raise RequestRejectedError(Message("update.bundle_changed"))
    _run_installation(fetched, report, commands.stream)


def _try_stream(request: InstallRequest, report: UpdateProgressWriter, commands: _Commands) -> str:
    """Return why nothing was written, or "" after an installation.

    Raises OperationFailedError where RAUC rejected the bundle, or had begun to write.
    """
    try:
        with _pause_udev(commands.run) as resume:
            _run_installation(request, report, commands.stream, on_mounted=resume)
    except _BundleNotOpenedError as error:
        log.warning("update: the stream was not opened: %s", error)
        return str(error)
    return ""


def _fetch_bundle(report: UpdateProgressWriter, commands: _Commands) -> None:
    """Have the bundle stored in the place of an uploaded one. Raises OperationFailedError.

    FETCH_UNIT has the network and no privileges; the unit that runs this has it the other way round.
    """
    report("fetching", percent=0, step="")
    try:
        for _ in commands.stream("systemctl", "start", FETCH_UNIT):
            pass
    except OperationFailedError as error:
        reason = commands.run("systemctl", "show", "--property=StatusText", "--value", FETCH_UNIT)
        with suppress(OperationFailedError):
            commands.run("systemctl", "reset-failed", FETCH_UNIT)
        raise OperationFailedError(
            " ".join(reason.split())[:MAX_MESSAGE_CHARS] or Message("update.cut_off")
        ) from error


@contextmanager
def _pause_udev(run: RunCommand) -> Iterator[Callable[[], None]]:
    """Pause udev's queue until the block ends or calls the function that it is given.

    Where this process is killed in between, the unit's ExecStopPost= resumes the queue.
    """
    paused = True

    def resume() -> None:
        nonlocal paused
        if paused:
            paused = False
            _control_udev(run, "--start-exec-queue")

    _control_udev(run, "--stop-exec-queue")
    try:
        yield resume
    finally:
        resume()


def _control_udev(run: RunCommand, option: str) -> None:
    try:
        run("udevadm", "control", f"--timeout={UDEV_TIMEOUT_S}", option)
    except OperationFailedError as error:  # the race may be lost then; the retries and the fetch follow
        log.warning("update: %s", error)


def _inspect_bundle(request: InstallRequest, run: RunCommand) -> tuple[str, str]:
    """The device that it is for, and its version; its signature is right. Raises Failed, Refused."""
    if request.location.startswith("/") and not Path(request.location).is_file():
        raise RequestRejectedError(Message("update.no_upload"))
    command = ("busctl", "--system", "--json=short", "--timeout=80", "call", *RAUC_DBUS_OBJECT)
    try:
        said = run(*command, "InspectBundle", "sa{sv}", request.location, "0")
    except OperationFailedError as error:
        raise RequestRejectedError(
            explain_message(message_of(error).partition("Call failed: ")[2] or message_of(error))
        ) from error
    try:
        update = _untype_tables(json.loads(said)["data"][0])["update"]
        return str(update["compatible"]), str(update.get("version") or "")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise OperationFailedError(Message("update.rauc_answer")) from error


def _check_version(version: str, installed: str) -> None:
    """Raises Refused."""
    try:
        if semver.is_older(version, installed):
            raise RequestRejectedError(Message("update.older", version=version, installed=installed))
        if not semver.is_older(installed, version):
            raise RequestRejectedError(Message("update.installed_already", version=version))
    except semver.InvalidVersionError as error:
        raise RequestRejectedError(Message("update.version_unclear", reason=error)) from error


def _run_installation(
    request: InstallRequest,
    report: UpdateProgressWriter,
    stream: StreamCommand,
    on_mounted: Callable[[], None] = lambda: None,
) -> None:
    """Run `rauc install`, and call `on_mounted` when the bundle is mounted, at the latest before a write.

    Raises OperationFailedError; _BundleNotOpenedError where nothing was written.
    """
    wish = ("--ignore-version-limit",) if request.allow_older else ()
    last, has_written = "", False
    report("installing", percent=0, step="")
    try:
        for line in stream("rauc", "install", *wish, request.location):
            if found := re.match(r"\s*(\d{1,3})% (.*)", line):
                step = found[2].strip()[:MAX_MESSAGE_CHARS]
                if not step.startswith(_STEPS_BEFORE_MOUNT):
                    on_mounted()
                has_written = has_written or not step.startswith(_STEPS_BEFORE_WRITE)
                report("installing", percent=min(100, int(found[1])), step=step)
            elif found := re.search(r"LastError: (.*)|Failed to contact rauc service: (.*)", line):
                last = found[1] or found[2]
    except OperationFailedError as error:
        is_final = has_written or _REJECTION_PATTERN.search(last)
        error_type = OperationFailedError if is_final else _BundleNotOpenedError
        raise error_type(explain_message(last) if last else message_of(error)) from error


def _read_status(run: RunCommand) -> RaucStatus:
    """Raises Failed."""
    try:
        said = json.loads(run("rauc", "status", "--detailed", "--output-format=json"))
        found = [slot for each in said["slots"] for slot in each.values() if slot.get("bootname")]
        other = next(slot for slot in found if slot["bootname"] != said["booted"])
        bundle = other.get("slot_status", {}).get("bundle", {})
        return RaucStatus(
            compatible=str(said["compatible"]),
            booted=str(said["booted"]),
            other=str(other["bootname"]),
            other_version=str(bundle.get("version") or ""),
            other_state=str(other.get("boot_status") or ""),
        )
    except (ValueError, LookupError, TypeError, AttributeError, StopIteration) as error:
        raise OperationFailedError(Message("update.slots_unknown")) from error


def _write_slots_answer(answers: Path, status: RaucStatus, root: Path) -> None:
    told = {
        "booted": status.booted,
        "version": read_system_version(root),
        "other": status.other,
        "other_version": status.other_version,
        "other_state": status.other_state,
        "boot": update_trial.read_boot_id(root),
    }
    with open_answers_dir(answers) as opened:
        write_answer_file(opened, f"{SLOTS_ANSWER_NAME}.json", json.dumps(told))


def read_system_version(root: Path = Path("/")) -> str:
    """What os-release(5) says."""
    with suppress(OSError, UnicodeDecodeError):
        for line in (root / "etc/os-release").read_text().splitlines():
            if line.startswith("VERSION_ID="):
                return line.partition("=")[2].strip("\"' ")
    return ""


def _untype_tables(value: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Tables of values out of busctl's JSON, which tells the type of each."""
    tables = {name: _untype_value(table) for name, table in value.items()}
    return {
        name: {key: _untype_value(each) for key, each in table.items()}
        for name, table in tables.items()
        if isinstance(table, dict)
    }


def _untype_value(value: object) -> object:
    """A value without its type; a variant in a variant has two."""
    while isinstance(value, dict) and value.keys() == {"type", "data"}:
        value = value["data"]
    return value
