"""`printmonitor box provision`: a file on the boot partition sets the Plug up, before anything else runs."""

import json
import logging
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.domain.messages import Message
from appliance.host import file_lock, openssl, passwords
from appliance.privileged import boot_notes, boot_partition, run_as_owner
from appliance.privileged.boot_partition import UnreadableTextError
from appliance.provisioning import licence_section
from appliance.settings import schema, validation
from appliance.settings.schema import Config, Home

PROVISIONING_FILENAMES = (
    "printmonitor.toml",
    "printmonitor.toml.txt",
)  # the second: Windows hides how a name ends
EVENT_KIND = "provisioning"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProvisioningDirs:
    """Where things are, for tests to say."""

    boot_dir: Path = boot_partition.BOOT_PARTITION_DIR
    notes_dir: Path = boot_notes.BOOT_NOTES_DIR


class ProvisioningError(Exception):
    """The file cannot be used; each problem is one line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class _ParsedProvisioning:
    """What is to be taken over, checked."""

    settings: Config
    licence: licence_section.LicenceSection


def provision_plug(home: Home, dirs: ProvisioningDirs = ProvisioningDirs()) -> None:
    """Take the file over, all of it or nothing, and remove it. Raises OSError.

    Until it is removed it is taken over again at each start, which changes nothing: the power may go.
    """
    path = boot_partition.find_file(PROVISIONING_FILENAMES, dirs.boot_dir)
    if path is None:
        return
    licences: list[Path] = []
    try:
        data = _load_toml(path)
        licences = list(licence_section.find_licence_files(data, dirs.boot_dir))
        brought = {each.name: boot_partition.read_file(each) for each in licences}
        # The state is the services': what root writes there through a link of theirs would be root's fault.
        said = run_as_owner.call_as_owner(home.folder, lambda: json.dumps(apply_data(home, data, brought)))
        problems = [str(each) for each in json.loads(said)]
    except ProvisioningError as error:
        problems = error.problems
    except (
        UnreadableTextError,
        run_as_owner.OwnerProcessError,
        file_lock.LockBusyError,
        openssl.OpensslError,
    ) as error:
        problems = [f"{path.name}: {error}"]
    if problems:
        _report_problems(path, problems, dirs)
    else:
        _remove_files(path, licences, dirs)


def apply_data(home: Home, data: Mapping[str, object], licence_files: Mapping[str, bytes]) -> list[str]:
    """What is wrong; where nothing is, all of it counts from now on."""
    try:
        found = _parse_data(home, data, licence_files)
        schema.update_settings(home, lambda _: found.settings)
        licence_section.apply_section(home, found.licence)
    except ProvisioningError as error:
        return error.problems
    except schema.SettingsError as error:
        return error.problems
    return []


def _parse_data(
    home: Home, data: Mapping[str, object], licence_files: Mapping[str, bytes]
) -> _ParsedProvisioning:
    """Raises Wrong."""
    present, _ = schema.load_last_good_settings(home)
    given, problems = _hash_web_password({key: value for key, value in data.items() if key != "licence"})
    whole = _merge_tables(schema.to_table(present), given)
    problems += schema.find_problems(whole)
    wish, wrong = licence_section.parse_section(home, data.get("licence", {}), licence_files)
    if problems := [*problems, *wrong]:
        raise ProvisioningError(problems)
    return _ParsedProvisioning(validation.build_record(Config(), whole), wish)


def _hash_web_password(given: dict[str, object]) -> tuple[dict[str, object], list[str]]:
    """The page's password is kept as a hash; what is wrong with it."""
    web = given.get("web")
    if not isinstance(web, dict) or "password" not in web:
        return given, []
    rest = {key: value for key, value in web.items() if key != "password"}
    password = web["password"]
    wrong = passwords.password_problem(password) if isinstance(password, str) else "must be text in quotes"
    if wrong:
        return {**given, "web": rest}, [f"web.password: {wrong}"]
    return {**given, "web": {**rest, "password_hash": passwords.hash_password(str(password))}}, []


def _merge_tables(before: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """What is not given stays; a list that is given takes the place of the one before."""
    after = dict(before)
    for key, value in given.items():
        old = before.get(key)
        after[key] = _merge_tables(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return after


def _load_toml(path: Path) -> Mapping[str, object]:
    """Raises Wrong, NoText, OSError."""
    text = boot_partition.decode_text(boot_partition.read_file(path))
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ProvisioningError(
            [Message("field_problem", field=path.name, problem=Message("settings.nested"))]
        ) from None
    except ValueError as error:  # names places and keys, never values
        raise ProvisioningError(
            [Message("field_problem", field=path.name, problem=Message("settings.bad_toml", reason=error))]
        ) from None


def _report_problems(path: Path, problems: list[str], dirs: ProvisioningDirs) -> None:
    log.error("%s: nothing is taken over: %s", path.name, problems[0])
    text = Message("provision.refused", name=path.name, problem=problems[0])
    if len(problems) > 1:
        text = Message("provision.refused_more", name=path.name, problem=problems[0], more=len(problems) - 1)
    boot_notes.add_boot_note(EVENT_KIND, path.name, text, dirs.notes_dir)
    boot_partition.write_problems(_format_problem_report(path.name, problems), dirs.boot_dir)


def _format_problem_report(name: str, problems: list[str]) -> Iterator[str]:
    yield f"PrintMonitor Plug: nothing of {name} was taken over."
    yield "Please mend these lines of it, save it, and start the Plug with the card again:"
    yield ""
    yield from (f"- {problem}" for problem in problems)


def _remove_files(path: Path, licences: list[Path], dirs: ProvisioningDirs) -> None:
    """The settings last: while they are there, the take-over is done again."""
    for each in (*licences, path):
        boot_partition.shred_file(each)
    boot_partition.remove_problems(dirs.boot_dir)
    boot_notes.add_boot_note(EVENT_KIND, path.name, Message("provision.done", name=path.name), dirs.notes_dir)
    log.info("%s: taken over and removed", path.name)
