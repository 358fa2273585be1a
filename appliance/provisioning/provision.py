"""`printmonitor box provision`: a file on the boot partition sets the Plug up, before anything else runs."""

import json
import logging
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.host import file_lock, openssl, passwords
from appliance.privileged import boot_notes, boot_partition, run_as_owner
from appliance.privileged.boot_partition import NoText
from appliance.provisioning import licence_section
from appliance.settings import schema, validation
from appliance.settings.schema import Config, Home

NAMES = ("printmonitor.toml", "printmonitor.toml.txt")  # the second: Windows hides how a name ends
KIND = "provisioning"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, for tests to say."""

    boot: Path = boot_partition.FOLDER
    notes: Path = boot_notes.FOLDER


class Wrong(Exception):
    """The file cannot be used; each problem is one line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class _Found:
    """What is to be taken over, checked."""

    settings: Config
    licence: licence_section.Wish


def run(home: Home, places: Places = Places()) -> None:
    """Take the file over, all of it or nothing, and remove it. Raises OSError.

    Until it is removed it is taken over again at each start, which changes nothing: the power may go.
    """
    path = boot_partition.find(NAMES, places.boot)
    if path is None:
        return
    licences: list[Path] = []
    try:
        data = _data(path)
        licences = list(licence_section.files(data, places.boot))
        brought = {each.name: boot_partition.read(each) for each in licences}
        # The state is the services': what root writes there through a link of theirs would be root's fault.
        said = run_as_owner.as_owner(home.folder, lambda: json.dumps(take_over(home, data, brought)))
        problems = [str(each) for each in json.loads(said)]
    except Wrong as error:
        problems = error.problems
    except (NoText, run_as_owner.NotDone, file_lock.Busy, openssl.Failed) as error:
        problems = [f"{path.name}: {error}"]
    if problems:
        _complain(path, problems, places)
    else:
        _clear(path, licences, places)


def take_over(home: Home, data: Mapping[str, object], brought: Mapping[str, bytes]) -> list[str]:
    """What is wrong; where nothing is, all of it counts from now on."""
    try:
        found = _checked(home, data, brought)
        schema.change(home, lambda _: found.settings)
        licence_section.take_over(home, found.licence)
    except Wrong as error:
        return error.problems
    except schema.BadSettings as error:
        return error.problems
    return []


def _checked(home: Home, data: Mapping[str, object], brought: Mapping[str, bytes]) -> _Found:
    """Raises Wrong."""
    present, _ = schema.load_last_good(home)
    given, problems = _with_password({key: value for key, value in data.items() if key != "licence"})
    whole = _merged(schema.as_data(present), given)
    problems += schema.problems(whole)
    wish, wrong = licence_section.checked(home, data.get("licence", {}), brought)
    if problems := [*problems, *wrong]:
        raise Wrong(problems)
    return _Found(validation.build(Config(), whole), wish)


def _with_password(given: dict[str, object]) -> tuple[dict[str, object], list[str]]:
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


def _merged(before: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """What is not given stays; a list that is given takes the place of the one before."""
    after = dict(before)
    for key, value in given.items():
        old = before.get(key)
        after[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return after


def _data(path: Path) -> Mapping[str, object]:
    """Raises Wrong, NoText, OSError."""
    text = boot_partition.text(boot_partition.read(path))
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise Wrong([f"{path.name}: is nested too deeply"]) from None
    except ValueError as error:  # names places and keys, never values
        raise Wrong([f"{path.name}: is no valid TOML: {error}"]) from None


def _complain(path: Path, problems: list[str], places: Places) -> None:
    log.error("%s: nothing is taken over: %s", path.name, problems[0])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    text = f"{path.name} is not taken over: {problems[0]}{more}"
    boot_notes.add(KIND, path.name, text, places.notes)
    boot_partition.answer(_answer(path.name, problems), places.boot)


def _answer(name: str, problems: list[str]) -> Iterator[str]:
    yield f"PrintMonitor Plug: nothing of {name} was taken over."
    yield "Please mend these lines of it, save it, and start the Plug with the card again:"
    yield ""
    yield from (f"- {problem}" for problem in problems)


def _clear(path: Path, licences: list[Path], places: Places) -> None:
    """The settings last: while they are there, the take-over is done again."""
    for each in (*licences, path):
        boot_partition.remove(each)
    boot_partition.forget_answer(places.boot)
    boot_notes.add(KIND, path.name, f"{path.name} was taken over and removed from the card", places.notes)
    log.info("%s: taken over and removed", path.name)
