"""The README names every setting with its default, and every command."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import get_args, get_type_hints

import pytest

from appliance.__main__ import COMMANDS
from appliance.settings.schema import Config
from tests.children import ROOT

README = (ROOT / "README.md").read_text()


def keys(record: type, path: str = "") -> Iterator[tuple[str, "Field[object]"]]:
    hints = get_type_hints(record)
    for field in fields(record):
        name = f"{path}{field.name.rstrip('_')}"
        inner = next(
            (hint for hint in (hints[field.name], *get_args(hints[field.name])) if is_dataclass(hint)), None
        )
        if inner is None or get_args(hints[field.name]):
            yield name, field
        if isinstance(inner, type):
            yield from keys(inner, f"{name}.")


SETTINGS = dict(keys(Config))


@pytest.mark.parametrize("key", SETTINGS)
def test_setting_is_documented_with_its_default(key: str) -> None:
    row = re.search(rf"^\| `{re.escape(key)}` \|([^|]*)\|", README, re.MULTILINE)
    assert row, f"README has no row for the setting {key}"
    default, shown = SETTINGS[key].default, row[1].strip("` ")
    if default is not MISSING and is_plain(default):
        assert tomllib.loads(f"value = {shown}")["value"] == (
            list(default) if isinstance(default, tuple) else default
        )


def is_plain(value: object) -> bool:
    return isinstance(value, str | int) or (
        isinstance(value, tuple) and all(isinstance(part, str) for part in value)
    )


def test_no_row_for_a_setting_that_does_not_exist() -> None:
    rows = re.findall(
        r"^\| `((?:plug|discovery|import|schedule|transmission|traps|web|update|network)\.[a-z0-9_.]+)` \|",
        README,
        re.MULTILINE,
    )
    assert sorted(rows) == sorted(SETTINGS)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_documented(command: str) -> None:
    assert re.search(rf"^\| `printmonitor {command}\b", README, re.MULTILINE)
