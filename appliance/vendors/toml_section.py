"""Read the tables of a vendor file with checks of type and spelling."""

import re
from collections.abc import Collection, Iterator
from typing import TypeVar

from appliance.vendors.errors import VendorFileError

OID_PATTERN = re.compile(r"\d+(\.\d+)*")
KIND_NAMES = {str: "a text", int: "a number", list: "a list", dict: "a table"}

T = TypeVar("T", str, int, list[object], dict[str, object])


def require(value: object, kind: type[T], place: str) -> T:
    """Return the value if it is of the kind. Raises VendorFileError."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise VendorFileError(f"{place}: {KIND_NAMES[kind]} expected, not {value!r}")
    return value


class TomlSection:
    """One table of a file; every key has to be read before `reject_unknown_keys`."""

    def __init__(self, values: object, place: str) -> None:
        self.values = require(values, dict, place)
        self.place = place  # "ricoh.toml: counters.total", for messages
        self._unread = set(self.values)

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def take(self, key: str) -> object:
        if key not in self.values:
            raise VendorFileError(f"{self.place}: the key {key} is missing")
        self._unread.discard(key)
        return self.values[key]

    def text(self, key: str) -> str:
        return require(self.take(key), str, f"{self.place}: {key}")

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(require(value, str, f"{self.place}: {key}") for value in self.items(key))

    def number(self, key: str) -> int:
        return require(self.take(key), int, f"{self.place}: {key}")

    def numbers(self, key: str) -> tuple[int, ...]:
        return tuple(require(value, int, f"{self.place}: {key}") for value in self.items(key))

    def oid(self, key: str) -> str:
        return self._check_oid(key, self.text(key))

    def oids(self, key: str) -> tuple[str, ...]:
        return tuple(self._check_oid(key, value) for value in self.texts(key))

    def _check_oid(self, key: str, value: str) -> str:
        if not OID_PATTERN.fullmatch(value):
            raise VendorFileError(f"{self.place}: {key}: {value!r} is not an OID below 1.3.6.1.4.1")
        return value

    def choice(self, key: str, allowed: Collection[str]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise VendorFileError(f"{self.place}: {key}: {value!r} is not one of {', '.join(allowed)}")
        return value

    def items(self, key: str) -> list[object]:
        """Return a list, empty if the key is absent."""
        return require(self.take(key), list, f"{self.place}: {key}") if key in self.values else []

    def section(self, key: str) -> "TomlSection":
        """Return an inner table, empty if the key is absent."""
        return TomlSection(self.take(key) if key in self.values else {}, f"{self.place}: {key}")

    def sections(self, key: str) -> Iterator["TomlSection"]:
        """Yield the tables of an array of tables."""
        for number, values in enumerate(self.items(key), 1):
            yield TomlSection(values, f"{self.place}: {key} {number}")

    def number_keys(self) -> Iterator[tuple[int, str]]:
        """Yield all keys of a table whose keys are numbers, as numbers and as written."""
        for key in self.values:
            if not key.isdecimal():
                raise VendorFileError(f"{self.place}: the key {key} is not a number")
            yield int(key), key

    def reject_unknown_keys(self) -> None:
        if self._unread:
            raise VendorFileError(f"{self.place}: unknown key {', '.join(sorted(self._unread))}")
