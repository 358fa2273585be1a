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
from appliance.domain.model import DiscoveryEntry
from appliance.settings import network


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[object]]]


Record = TypeVar("Record", bound=_Dataclass)
# What would be right: the end of a sentence that begins with the value ("must be ..."), or a sentence of its
# own; None where the value is right.
Rule = Callable[[str | int], str | None]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Nothing that would have to be quoted: such addresses exist on paper alone.
_MAIL = r"[^@\s<>()\[\]\\,;:\"]+@(?:[\w.-]+|\[[\w.:]+\])"
_KINDS: Mapping[object, str] = {
    bool: "true or false",  # before int: Python counts a bool as one
    str: "text in quotes",
    int: "a whole number",
    list: "a list",
    dict: "a table",
}


def seconds(text: str) -> int:
    """The seconds of a duration such as 90s, 30m, 1h or 1d. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text.strip())
    if not found:
        raise ValueError(f"{address_ranges.quote_for_message(text)} is no duration")
    return int(found[1]) * _UNITS[found[2]]


def time_of_day(text: str) -> time:
    """The time of a text such as 02:00. Raises ValueError."""
    if not re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", text.strip()):
        raise ValueError(f"{address_ranges.quote_for_message(text)} is no time of day")
    hour, _, minute = text.strip().partition(":")
    return time(int(hour), int(minute))


def hours(text: str) -> tuple[time, time]:
    """From when to when, of a text such as 02:00-04:00 or 22:00-05:00. Raises ValueError."""
    begin, _, end = text.partition("-")
    if time_of_day(begin) == time_of_day(end):
        raise ValueError(f"{address_ranges.quote_for_message(text)} begins when it ends")
    return time_of_day(begin), time_of_day(end)


def _number(low: int, high: int) -> Rule:
    def rule(value: str | int) -> str | None:
        fits = isinstance(value, int) and low <= value <= high
        return None if fits else f"must be from {low} to {high}"

    return rule


def _pattern(regex: str, right: str) -> Rule:
    return lambda value: None if re.fullmatch(regex, str(value)) else right


def _duration(value: str | int) -> str | None:
    right = 'must be a number with s, m, h or d, from "1m" to "31d", such as "1h"'
    try:
        return None if 60 <= seconds(str(value)) <= 31 * 86400 else right
    except ValueError:
        return right


def _duration_or_off(value: str | int) -> str | None:
    right = _duration(value) if value != "off" else None
    return right and f'{right}, or "off"'


def _time_of_day(value: str | int) -> str | None:
    try:
        time_of_day(str(value))
    except ValueError:
        return 'must be a time from "00:00" to "23:59"'
    return None


def _hours(value: str | int) -> str | None:
    try:
        return hours(str(value)) and None if value else None
    except ValueError:
        return 'must be from when to when, such as "02:00-04:00", or empty'


def _time_zone(value: str | int) -> str | None:
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
        if not known:
            return "cannot be used: this computer has no time zone data (package tzdata)"
        close = difflib.get_close_matches(str(value), known, 1)
        return f'must be a time zone such as "{close[0] if close else "Europe/Zurich"}"'
    return None


def _https(value: str | int) -> str | None:
    return _url(str(value), "https", 'must be an address such as "https://cloud.example.com/upload"')


def _proxy(value: str | int) -> str | None:
    return _url(str(value), "http", 'must be an address such as "http://proxy.example.com:3128"')


def _url(text: str, scheme: str, right: str) -> str | None:
    if not text:
        return None
    try:
        url = urlsplit(text)
        fits = url.scheme == scheme and bool(url.hostname) and url.port != 0 and " " not in text
    except ValueError:
        return right
    if url.username is not None or url.password is not None:
        return f"{right}, without user name and password in it"
    return None if fits else right


def _mail(value: str | int) -> str | None:
    return _each(str(value), _MAIL, 'must be an address such as "plug@example.com"')


def _each(text: str, regex: str, right: str) -> str | None:
    parts = [part.strip() for part in text.split(",")] if text else []
    return None if all(re.fullmatch(regex, part) for part in parts) else right


def _exclusion(value: str | int) -> str | None:
    return entries.exclusion_problem(str(value))


_port = _number(1, 65535)
_community = _pattern(".{1,255}", "must be 1 to 255 characters")
_host = _pattern(r"[\w.:-]{0,253}", "must be a host name or an address")

RULES: Mapping[str, Rule] = {
    "plug.name": _pattern(
        "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
        "must be 1 to 63 letters, digits or hyphens; without the line the name comes from the serial number",
    ),
    "plug.site": _pattern(".{0,200}", "must be at most 200 characters"),
    "discovery.entries.addresses": lambda value: entries.entry_problem(
        DiscoveryEntry(str(value)), limit=2**128
    ),
    "discovery.entries.community_read": _community,
    "discovery.entries.port": _port,
    "discovery.exclusions": _exclusion,
    "discovery.packets_per_second": _number(1, 10_000),
    "discovery.max_addresses": _number(1, 2**24),
    "schedule.query_every": _duration,
    "schedule.discover_at": _time_of_day,
    "schedule.time_zone": _time_zone,
    "import.every": _duration,
    "transmission.https.url": _https,
    "transmission.https.proxy": _proxy,
    "transmission.mail.host": _host,
    "transmission.mail.port": _port,
    "transmission.mail.sender": _pattern(f"|{_MAIL}", 'must be an address such as "plug@example.com"'),
    "transmission.mail.recipient": _mail,
    "traps.port": _port,
    "traps.communities": _community,
    "traps.report": _duration_or_off,
    "web.port": _port,
    "web.tls_port": _port,
    "web.username": _pattern(".{1,64}", "must be 1 to 64 characters"),
    "web.names": _pattern(
        r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", 'must be a name such as "plug.example.com"'
    ),
    "update.channel": _https,
    "update.window": _hours,
    "update.hawkbit.url": _https,
    "update.hawkbit.tenant": _pattern(r"[\w.-]{1,64}", "must be 1 to 64 letters, digits, dots or hyphens"),
    "update.hawkbit.controller": _pattern(
        r"[\w.:-]{0,128}", "must be at most 128 letters, digits, dots, colons or hyphens, or empty"
    ),
    "update.hawkbit.token": _pattern("[!-~]{0,512}", "must be letters, digits or signs, without spaces"),
    "web.metrics_token": _pattern("|[!-~]{20,200}", "must be at least 20 letters, digits or signs"),
    **{f"network.{key}": rule for key, rule in network.RULES.items()},
}

SECRETS = frozenset(
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


def problems(data: Mapping[str, object], record: type, path: str = "", said: str = "") -> Iterator[str]:
    """Each key of a table that is unknown, missing or wrong; `said` is how messages call the table."""
    hints = _hints(record)
    for key, value in data.items():
        name = _field_name(key, hints)
        if name in hints:
            shown = name.rstrip("_")
            yield from _value(value, hints[name], _join(path, shown), _join(said, shown))
        else:
            yield _unknown(key, record, said)
    for field in fields(record):
        if field.name not in data and field.default is MISSING and field.default_factory is MISSING:
            yield f"{_join(said, field.name)}: is missing"


def build(default: Record, data: Mapping[str, object], path: str = "") -> Record:
    """The default with what a table says; what is wrong in the table is left out."""
    hints = _hints(type(default))
    values: dict[str, object] = {}
    for told, value in data.items():
        key = _field_name(told, hints)
        hint, key_path = hints.get(key), _join(path, key.rstrip("_"))
        if is_dataclass(hint) and isinstance(value, dict):
            values[key] = build(getattr(default, key), value, key_path)
        elif get_origin(hint) is tuple and isinstance(value, list | tuple):
            right = [item for item in value if not any(_value(item, get_args(hint)[0], key_path, key_path))]
            values[key] = tuple(DiscoveryEntry(**item) if isinstance(item, dict) else item for item in right)
        elif hint is not None and not any(_value(value, hint, key_path, key_path)):
            values[key] = value
    return replace(default, **values)


def _value(value: object, hint: object, path: str, said: str) -> Iterator[str]:
    if isinstance(hint, type) and is_dataclass(hint):
        if isinstance(value, dict):
            yield from problems(value, hint, path, said)
        else:
            yield f"{said}: must be a table, not {_kind(value)}"
    elif get_origin(hint) is tuple:
        yield from _list(value, get_args(hint)[0], path, said)
    elif get_origin(hint) is Literal:
        if value not in get_args(hint):
            choices = " or ".join(f'"{choice}"' for choice in get_args(hint))
            yield _wrong(value, f"must be {choices}", path, said)
    else:
        yield from _scalar(value, hint, path, said)


def _list(value: object, hint: object, path: str, said: str) -> Iterator[str]:
    if not isinstance(value, list | tuple):
        is_table = isinstance(hint, type) and is_dataclass(hint)
        right = f"[[{path}]] above each" if is_table else f"{path.rpartition('.')[2]} = [...]"
        yield f"{said}: must be a list, not {_kind(value)}: write {right}"
        return
    for number, item in enumerate(value, 1):
        text = item.get("addresses") if isinstance(item, dict) else None
        shown = f" ({address_ranges.quote_for_message(text)})" if isinstance(text, str) else ""
        yield from _value(item, hint, path, f"{said} {number}{shown}")


def _scalar(value: object, hint: object, path: str, said: str) -> Iterator[str]:
    if _kind(value) != _KINDS.get(hint):
        yield f"{said}: must be {_KINDS.get(hint)}, not {_kind(value)}"
    elif isinstance(value, str) and not value.isprintable():
        yield f"{said}: has a character that cannot be printed; leave it out"
    elif isinstance(value, str | int) and (rule := RULES.get(path)) and (right := rule(value)):
        yield _wrong(value, right, path, said)


def _wrong(value: object, right: str, path: str, said: str) -> str:
    if path in SECRETS or not right.startswith("must"):
        return f"{said}: {right}"
    shown = address_ranges.quote_for_message(value) if isinstance(value, str) else repr(value)[:80]
    return f"{said}: {shown} {right}"


@cache  # asked for every entry of a list that may have thousands
def _hints(record: type) -> Mapping[str, object]:
    return get_type_hints(record)


def _field_name(key: str, hints: Mapping[str, object]) -> str:
    """A key's field: `import` is a word of Python's, so that field is called `import_`."""
    return key if key in hints else f"{key}_"


def _unknown(key: str, record: type, said: str) -> str:
    near = difflib.get_close_matches(key, [field.name.rstrip("_") for field in fields(record)], 1)
    leaves = {path.rpartition(".")[2]: path for path in RULES}
    near = near or [leaves[leaf] for leaf in difflib.get_close_matches(key, leaves, 1)]
    hint = f"; did you mean {near[0]}?" if near else ""
    return (
        f"{_join(said, key if key.isidentifier() else address_ranges.quote_for_message(key))}: unknown{hint}"
    )


def _kind(value: object) -> str:
    return next(
        (name for kind, name in _KINDS.items() if isinstance(kind, type) and isinstance(value, kind)),
        "a date or a fraction",
    )


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
