"""The settings of a Plug: records with their defaults, kept in settings.toml."""

import contextlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, time, tzinfo
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tomli_w

from appliance.discovery.entries import MAX_TARGETS, entry_problem, total_problem
from appliance.domain.messages import Message
from appliance.domain.model import DiscoveryEntry
from appliance.domain.schedule import RunSchedule, build_schedule
from appliance.host import atomic_file, board, file_lock
from appliance.settings import network, validation
from appliance.settings.network import NetworkConfig
from appliance.settings.paths import PLUG_STATE_DIR as PLUG_STATE_DIR  # noqa: PLC0414  known as its own
from appliance.settings.paths import Home as Home  # noqa: PLC0414

LOCK_TIMEOUT_S = 10.0  # to wait for another process that does; a slow memory card takes one

_ENTRY_DEFAULTS = asdict(DiscoveryEntry(""))

_FILE_HEADER = """\
# Settings of this PrintMonitor Plug. The page writes this file anew with every change: comments are lost.
# Every key is described in the README. `printmonitor check` names what is wrong.

"""


class SettingsError(Exception):
    """settings.toml cannot be used; each problem is one line that says what would be right."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class PlugConfig:
    name: str = field(default_factory=board.default_plug_name)
    site: str = ""
    language: Literal["en", "de"] = "en"
    mdns: bool = True  # announced on the LAN, and printers that announce themselves are heard


@dataclass(frozen=True, slots=True)
class DiscoveryConfig:
    entries: tuple[DiscoveryEntry, ...] = ()
    exclusions: tuple[str, ...] = ()
    packets_per_second: int = 200
    max_addresses: int = MAX_TARGETS


@dataclass(frozen=True, slots=True)
class ImportConfig:
    """The import list that is watched."""

    path: str = ""  # "": none
    exclusions: str = ""
    every: str = "1h"
    http_username: str = ""
    http_password: str = field(default="", repr=False)

    @property
    def seconds(self) -> int:
        return validation.parse_duration(self.every)


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    query_every: str = "1h"
    discover_at: tuple[str, ...] = ("02:00",)
    time_zone: str = "Europe/Zurich"

    @property
    def query_interval_s(self) -> int:
        return validation.parse_duration(self.query_every)

    @property
    def discover_times(self) -> tuple[time, ...]:
        return tuple(sorted({validation.parse_time_of_day(text) for text in self.discover_at}))

    @property
    def zone(self) -> tzinfo:
        """The time zone; UTC where this computer has no time zone data."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, OSError, ValueError):
            return UTC


@dataclass(frozen=True, slots=True)
class HttpsConfig:
    url: str = ""
    ca_file: str = ""
    proxy: str = ""
    proxy_username: str = ""
    proxy_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MailConfig:
    host: str = ""
    port: int = 25
    security: Literal["none", "starttls", "tls"] = "none"
    ca_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    recipient: str = ""  # several separated by commas


@dataclass(frozen=True, slots=True)
class TransmissionConfig:
    mode: Literal["off", "https", "mail"] = "off"
    key: str = field(default="", repr=False)
    xml_names: Literal["printed", "mib"] = "printed"
    https: HttpsConfig = HttpsConfig()
    mail: MailConfig = MailConfig()


@dataclass(frozen=True, slots=True)
class TrapsConfig:
    enabled: bool = False
    port: int = 162
    communities: tuple[str, ...] = field(default=(), repr=False)
    report: str = "5m"  # "off", or a duration

    @property
    def report_delay_s(self) -> int | None:
        """How long to wait with a status parcel for one that comes anyway; None: none is ever sent."""
        return None if self.report == "off" else validation.parse_duration(self.report)


@dataclass(frozen=True, slots=True)
class WebConfig:
    port: int = 80
    tls_port: int = 443
    username: str = "admin"
    password_hash: str = field(default="", repr=False)
    names: tuple[str, ...] = ()  # by which browsers may call the page, besides the Plug's own
    metrics_token: str = field(default="", repr=False)  # "": no /metrics


@dataclass(frozen=True, slots=True)
class HawkbitConfig:
    """The fleet server."""

    url: str = ""  # "": none
    tenant: str = "DEFAULT"
    controller: str = ""  # "": the Plug's name
    token: str = field(default="", repr=False)
    token_kind: Literal["target", "gateway"] = "target"  # noqa: S105  which, not what


@dataclass(frozen=True, slots=True)
class UpdateConfig:
    channel: str = ""  # "": none
    automatic: bool = False
    window: str = ""  # local time; "": at any time
    ca_file: str = ""
    hawkbit: HawkbitConfig = HawkbitConfig()

    @property
    def hours(self) -> tuple[time, time] | None:
        """From when to when; None: at any time."""
        return validation.parse_time_window(self.window) if self.window else None


@dataclass(frozen=True, slots=True)
class Config:
    plug: PlugConfig = field(default_factory=PlugConfig)
    discovery: DiscoveryConfig = DiscoveryConfig()
    import_: ImportConfig = ImportConfig()  # the table [import]
    schedule: ScheduleConfig = ScheduleConfig()
    transmission: TransmissionConfig = TransmissionConfig()
    traps: TrapsConfig = TrapsConfig()
    web: WebConfig = WebConfig()
    update: UpdateConfig = UpdateConfig()
    network: NetworkConfig = field(default_factory=NetworkConfig)

    def run_schedule(self) -> RunSchedule:
        """Return when this Plug queries and discovers."""
        when = self.schedule
        return build_schedule(self.plug.name, when.query_interval_s, when.discover_times, when.zone)


def load_settings(home: Home) -> Config:
    """The settings; defaults where there is no file yet. Raises BadSettings."""
    text = _read_settings_file(home.settings)
    if text is None:
        return Config()
    if not text.strip() and home.last_good.exists():
        # an editor and a power cut do this; a person removes the file
        raise SettingsError(
            [Message("field_problem", field=home.settings.name, problem=Message("settings.empty_file"))]
        )
    config = _build_config(_parse_toml(home.settings, text))
    with contextlib.suppress(OSError, SettingsError):  # a folder that cannot be written stops no service
        if _read_settings_file(home.last_good) != text:
            atomic_file.write(home.last_good, text.encode())
    return config


def load_last_good_settings(home: Home) -> tuple[Config, list[str]]:
    """Settings to start a service with, whatever the file holds, with what is wrong about the file."""
    try:
        return load_settings(home), []
    except SettingsError as error:
        problems = error.problems
    with contextlib.suppress(SettingsError):
        if (text := _read_settings_file(home.last_good)) is not None:
            return _build_config(_parse_toml(home.last_good, text)), problems
    with contextlib.suppress(SettingsError):  # such as the settings of a newer version, after a fall-back
        return validation.build_record(
            Config(), _parse_toml(home.settings, _read_settings_file(home.settings) or "")
        ), problems
    return Config(), problems


@contextlib.contextmanager
def lock_settings(home: Home) -> Iterator[None]:
    """From load to save: page, commands and import list must not save over one another. Raises lock.Busy."""
    home.create_folders()
    with file_lock.acquire(home.settings_lock, LOCK_TIMEOUT_S):
        yield


def update_settings(home: Home, transform: Callable[[Config], Config]) -> Config:
    """Saves what `changed` makes of the settings. Raises BadSettings, lock.Busy."""
    with lock_settings(home):
        before = load_settings(home)
        after = transform(before)
        if after != before:
            save_settings(home, after)
    return after


def save_settings(home: Home, config: Config) -> None:
    """Writes all settings durably. Raises BadSettings, the file being as it was, if a value is wrong."""
    data = to_table(config)
    if wrong := find_problems(data):
        raise SettingsError(wrong)
    discovery = asdict(config.discovery) | {"entries": list(map(_without_defaults, config.discovery.entries))}
    text = _FILE_HEADER + tomli_w.dumps(data | {"discovery": discovery})
    home.create_folders()
    atomic_file.write(home.settings, text.encode())
    atomic_file.write(home.last_good, text.encode())


def _without_defaults(entry: DiscoveryEntry) -> dict[str, object]:
    """An entry without what goes without saying: an import list may have ten thousand."""
    return {key: value for key, value in asdict(entry).items() if value != _ENTRY_DEFAULTS[key]}


def to_table(config: Config) -> dict[str, object]:
    """All settings by the names that they have in the file."""
    return {name.rstrip("_"): value for name, value in asdict(config).items()}


def find_problems(data: Mapping[str, object]) -> list[str]:
    """What is wrong with settings, one line each."""
    try:
        _build_config(data)
    except SettingsError as error:
        return error.problems
    return []


def _find_conflicts(config: Config) -> Iterator[str]:
    """What is right by itself, and wrong together."""
    most = config.discovery.max_addresses
    wrong = {number: entry_problem(entry, most) for number, entry in enumerate(config.discovery.entries, 1)}
    for number, problem in wrong.items():
        if problem:
            yield Message("field_problem", field=f"discovery.entries {number}", problem=problem)
    if not any(wrong.values()) and (problem := total_problem(config.discovery.entries, most)):
        yield Message("field_problem", field="discovery.entries", problem=problem)
    if config.transmission.mode == "mail":
        for key in ("host", "sender", "recipient"):
            if not asdict(config.transmission.mail)[key]:
                yield Message(
                    "field_problem",
                    field=f"transmission.mail.{key}",
                    problem=Message("settings.needed_for", setting='transmission.mode = "mail"'),
                )
    if config.update.hawkbit.url and not config.update.hawkbit.token:
        yield Message(
            "field_problem",
            field="update.hawkbit.token",
            problem=Message("settings.needed_for", setting="update.hawkbit.url"),
        )
    if config.web.port == config.web.tls_port:
        yield Message(
            "field_problem",
            field="web.tls_port",
            problem=Message("settings.same_port", port=config.web.tls_port, other="web.port"),
        )
    for problem in network.find_conflicts(config.network):
        yield Message(
            "field_problem", field=f"network.{problem.params['field']}", problem=problem.params["problem"]
        )


def _build_config(data: Mapping[str, object]) -> Config:
    if wrong := list(validation.find_problems(data, Config)):
        raise SettingsError(wrong)
    config = validation.build_record(Config(), data)
    if wrong := list(_find_conflicts(config)):
        raise SettingsError(wrong)
    return config


def _parse_toml(path: Path, text: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SettingsError(
            [Message("field_problem", field=path.name, problem=Message("settings.nested"))]
        ) from None
    except ValueError as error:  # names places and keys, never values
        reason = str(error).replace("at end of document", f"at line {len(text.splitlines())}, its end")
        raise SettingsError(
            [Message("field_problem", field=path.name, problem=Message("settings.bad_toml", reason=reason))]
        ) from None


def _read_settings_file(path: Path) -> str | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(
            [
                Message(
                    "field_problem",
                    field=path.name,
                    problem=Message("settings.unreadable", reason=error.strerror),
                )
            ]
        ) from error
    try:
        return data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            [Message("field_problem", field=path.name, problem=Message("provision.line_not_utf8", line=line))]
        ) from None
