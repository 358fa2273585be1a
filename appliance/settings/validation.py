"""What settings.toml may say: a rule for every key, told in lines that name what would be right."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from datetime import time
from functools import cache
from typing import ClassVar, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from appliance.discovery import address_ranges, entries
from appliance.domain.messages import Message
from appliance.domain.model import DiscoveryEntry
from appliance.settings import network


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[object]]]


Record = TypeVar("Record", bound=_Dataclass)
# What would be right: the end of a sentence that begins with the value ("must be ..."), or a sentence of its
# own; None where the value is right.
Rule = Callable[[str | int], str | None]

_SECONDS_PER_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Nothing that would have to be quoted: such addresses exist on paper alone.
_MAIL_ADDRESS_PATTERN = r"[^@\s<>()\[\]\\,;:\"]+@(?:[\w.-]+|\[[\w.:]+\])"
_TYPE_NAMES: Mapping[object, str] = {
    bool: Message("kind.bool"),  # before int: Python counts a bool as one
    str: Message("kind.text"),
    int: Message("kind.int"),
    list: Message("kind.list"),
    dict: Message("kind.table"),
}


def parse_duration(text: str) -> int:
    """The seconds of a duration such as 90s, 30m, 1h or 1d. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text.strip())
    if not found:
        raise ValueError(f"{address_ranges.quote_for_message(text)} is no duration")
    return int(found[1]) * _SECONDS_PER_UNIT[found[2]]


def parse_time_of_day(text: str) -> time:
    """The time of a text such as 02:00. Raises ValueError."""
    if not re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", text.strip()):
        raise ValueError(f"{address_ranges.quote_for_message(text)} is no time of day")
    hour, _, minute = text.strip().partition(":")
    return time(int(hour), int(minute))


def parse_time_window(text: str) -> tuple[time, time]:
    """From when to when, of a text such as 02:00-04:00 or 22:00-05:00. Raises ValueError."""
    begin, _, end = text.partition("-")
    if parse_time_of_day(begin) == parse_time_of_day(end):
        raise ValueError(Message("settings.window_empty", text=address_ranges.quote_for_message(text)))
    return parse_time_of_day(begin), parse_time_of_day(end)


def _range_rule(low: int, high: int) -> Rule:
    def rule(value: str | int) -> str | None:
        fits = isinstance(value, int) and low <= value <= high
        return None if fits else Message("settings.range", low=low, high=high)

    return rule


def _pattern_rule(regex: str, requirement: str) -> Rule:
    return lambda value: None if re.fullmatch(regex, str(value)) else requirement


def _check_duration(value: str | int) -> str | None:
    right = Message("settings.duration")
    try:
        return None if 60 <= parse_duration(str(value)) <= 31 * 86400 else right
    except ValueError:
        return right


def _check_duration_or_off(value: str | int) -> str | None:
    right = _check_duration(value) if value != "off" else None
    return right and Message("settings.or_off", rule=right)


def _check_time_of_day(value: str | int) -> str | None:
    try:
        parse_time_of_day(str(value))
    except ValueError:
        return Message("settings.time_of_day")
    return None


def _check_time_window(value: str | int) -> str | None:
    try:
        return parse_time_window(str(value)) and None if value else None
    except ValueError:
        return Message("settings.window")


def _check_time_zone(value: str | int) -> str | None:
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
        if not known:
            return Message("settings.no_tzdata")
        close = difflib.get_close_matches(str(value), known, 1)
        return Message("settings.time_zone", example=close[0] if close else "Europe/Zurich")
    return None


def _check_https_url(value: str | int) -> str | None:
    return _check_url(
        str(value), "https", Message("settings.https_url", example="https://cloud.example.com/upload")
    )


def _check_proxy_url(value: str | int) -> str | None:
    return _check_url(
        str(value), "http", Message("settings.https_url", example="http://proxy.example.com:3128")
    )


def _check_url(text: str, scheme: str, requirement: str) -> str | None:
    if not text:
        return None
    try:
        url = urlsplit(text)
        fits = url.scheme == scheme and bool(url.hostname) and url.port != 0 and " " not in text
    except ValueError:
        return requirement
    if url.username is not None or url.password is not None:
        return Message("settings.no_credentials", rule=requirement)
    return None if fits else requirement


def _check_mail_addresses(value: str | int) -> str | None:
    return _check_each_part(str(value), _MAIL_ADDRESS_PATTERN, Message("settings.mail_address"))


def _check_each_part(text: str, regex: str, requirement: str) -> str | None:
    parts = [part.strip() for part in text.split(",")] if text else []
    return None if all(re.fullmatch(regex, part) for part in parts) else requirement


def _check_exclusion(value: str | int) -> str | None:
    return entries.exclusion_problem(str(value))


_port_rule = _range_rule(1, 65535)
_community_rule = _pattern_rule(".{1,255}", Message("settings.host_length"))
_host_rule = _pattern_rule(r"[\w.:-]{0,253}", Message("settings.host"))

RULES: Mapping[str, Rule] = {
    "plug.name": _pattern_rule(
        "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
        Message("settings.hostname"),
    ),
    "plug.site": _pattern_rule(".{0,200}", Message("settings.max_200")),
    "discovery.entries.addresses": lambda value: entries.entry_problem(
        DiscoveryEntry(str(value)), limit=2**128
    ),
    "discovery.entries.community_read": _community_rule,
    "discovery.entries.port": _port_rule,
    "discovery.exclusions": _check_exclusion,
    "discovery.packets_per_second": _range_rule(1, 10_000),
    "discovery.max_addresses": _range_rule(1, 2**24),
    "schedule.query_every": _check_duration,
    "schedule.discover_at": _check_time_of_day,
    "schedule.time_zone": _check_time_zone,
    "import.every": _check_duration,
    "transmission.https.url": _check_https_url,
    "transmission.https.proxy": _check_proxy_url,
    "transmission.mail.host": _host_rule,
    "transmission.mail.port": _port_rule,
    "transmission.mail.sender": _pattern_rule(f"|{_MAIL_ADDRESS_PATTERN}", Message("settings.mail_address")),
    "transmission.mail.recipient": _check_mail_addresses,
    "traps.port": _port_rule,
    "traps.communities": _community_rule,
    "traps.report": _check_duration_or_off,
    "web.port": _port_rule,
    "web.tls_port": _port_rule,
    "web.username": _pattern_rule(".{1,64}", Message("settings.length_64")),
    "web.names": _pattern_rule(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", Message("settings.domain")),
    "update.channel": _check_https_url,
    "update.window": _check_time_window,
    "update.hawkbit.url": _check_https_url,
    "update.hawkbit.tenant": _pattern_rule(r"[\w.-]{1,64}", Message("settings.target_name")),
    "update.hawkbit.controller": _pattern_rule(r"[\w.:-]{0,128}", Message("settings.controller_id")),
    "update.hawkbit.token": _pattern_rule("[!-~]{0,512}", Message("settings.token")),
    "web.metrics_token": _pattern_rule("|[!-~]{20,200}", Message("settings.key_length")),
    **{f"network.{key}": rule for key, rule in network.RULES.items()},
}

SECRET_KEYS = frozenset(
    {
        "discovery.entries.community_read",
        "discovery.entries.community_write",
        "discovery.entries.http_password",
        "import.http_password",
        "network.wlan.passphrase",
        "transmission.key",
        "transmission.https.proxy",  # an old habit puts the password into it
        "transmission.https.url",
        "transmission.https.proxy_password",
        "transmission.mail.password",
        "traps.communities",
        "update.channel",
        "update.hawkbit.url",
        "update.hawkbit.token",
        "web.metrics_token",
        "web.password_hash",
    }
)


def find_problems(data: Mapping[str, object], record: type, path: str = "", label: str = "") -> Iterator[str]:
    """Each key of a table that is unknown, missing or wrong; `said` is how messages call the table."""
    hints = _field_types(record)
    for key, value in data.items():
        name = _field_name(key, hints)
        if name in hints:
            shown = name.rstrip("_")
            yield from _check_value(value, hints[name], _join_path(path, shown), _join_path(label, shown))
        else:
            yield _unknown_key_problem(key, record, label)
    for field in fields(record):
        if field.name not in data and field.default is MISSING and field.default_factory is MISSING:
            yield Message(
                "field_problem", field=_join_path(label, field.name), problem=Message("settings.missing")
            )


def build_record(default: Record, data: Mapping[str, object], path: str = "") -> Record:
    """The default with what a table says; what is wrong in the table is left out."""
    hints = _field_types(type(default))
    values: dict[str, object] = {}
    for told, value in data.items():
        key = _field_name(told, hints)
        hint, key_path = hints.get(key), _join_path(path, key.rstrip("_"))
        if is_dataclass(hint) and isinstance(value, dict):
            values[key] = build_record(getattr(default, key), value, key_path)
        elif get_origin(hint) is tuple and isinstance(value, list | tuple):
            right = [
                item for item in value if not any(_check_value(item, get_args(hint)[0], key_path, key_path))
            ]
            values[key] = tuple(DiscoveryEntry(**item) if isinstance(item, dict) else item for item in right)
        elif hint is not None and not any(_check_value(value, hint, key_path, key_path)):
            values[key] = value
    return replace(default, **values)


def _check_value(value: object, hint: object, path: str, label: str) -> Iterator[str]:
    if isinstance(hint, type) and is_dataclass(hint):
        if isinstance(value, dict):
            yield from find_problems(value, hint, path, label)
        else:
            yield Message(
                "field_problem",
                field=label,
                problem=Message("settings.wrong_kind", kind=_TYPE_NAMES[dict], other=_type_name(value)),
            )
    elif get_origin(hint) is tuple:
        yield from _check_list(value, get_args(hint)[0], path, label)
    elif get_origin(hint) is Literal:
        if value not in get_args(hint):
            choices = ", ".join(f'"{choice}"' for choice in get_args(hint))
            yield _format_problem(value, Message("settings.choice", choices=choices), path, label)
    else:
        yield from _check_scalar(value, hint, path, label)


def _check_list(value: object, hint: object, path: str, label: str) -> Iterator[str]:
    if not isinstance(value, list | tuple):
        is_table = isinstance(hint, type) and is_dataclass(hint)
        right = f"[[{path}]] above each" if is_table else f"{path.rpartition('.')[2]} = [...]"
        yield Message(
            "field_problem",
            field=label,
            problem=Message("settings.no_list", kind=_type_name(value), example=right),
        )
        return
    for number, item in enumerate(value, 1):
        text = item.get("addresses") if isinstance(item, dict) else None
        shown = f" ({address_ranges.quote_for_message(text)})" if isinstance(text, str) else ""
        yield from _check_value(item, hint, path, f"{label} {number}{shown}")


def _check_scalar(value: object, hint: object, path: str, label: str) -> Iterator[str]:
    if _type_name(value) != _TYPE_NAMES.get(hint):
        yield Message(
            "field_problem",
            field=label,
            problem=Message("settings.wrong_kind", kind=_TYPE_NAMES.get(hint), other=_type_name(value)),
        )
    elif isinstance(value, str) and not value.isprintable():
        yield Message("field_problem", field=label, problem=Message("settings.unprintable"))
    elif isinstance(value, str | int) and (rule := RULES.get(path)) and (right := rule(value)):
        yield _format_problem(value, right, path, label)


def _format_problem(value: object, requirement: str, path: str, label: str) -> str:
    if path in SECRET_KEYS or not requirement.startswith("must"):
        return Message("field_problem", field=label, problem=requirement)
    shown = address_ranges.quote_for_message(value) if isinstance(value, str) else repr(value)[:80]
    return Message(
        "field_problem", field=label, problem=Message("settings.not_value", value=shown, problem=requirement)
    )


@cache  # asked for every entry of a list that may have thousands
def _field_types(record: type) -> Mapping[str, object]:
    return get_type_hints(record)


def _field_name(key: str, hints: Mapping[str, object]) -> str:
    """A key's field: `import` is a word of Python's, so that field is called `import_`."""
    return key if key in hints else f"{key}_"


def _unknown_key_problem(key: str, record: type, label: str) -> str:
    near = difflib.get_close_matches(key, [field.name.rstrip("_") for field in fields(record)], 1)
    leaves = {path.rpartition(".")[2]: path for path in RULES}
    near = near or [leaves[leaf] for leaf in difflib.get_close_matches(key, leaves, 1)]
    problem = Message("settings.unknown_suggestion", name=near[0]) if near else Message("settings.unknown")
    field = _join_path(label, key if key.isidentifier() else address_ranges.quote_for_message(key))
    return Message("field_problem", field=field, problem=problem)


def _type_name(value: object) -> str:
    return next(
        (name for kind, name in _TYPE_NAMES.items() if isinstance(kind, type) and isinstance(value, kind)),
        Message("kind.other"),
    )


def _join_path(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
