"""What the README's table of the Windows product's manual names exists, and can be typed as it is printed."""

import re
import shlex
import tomllib

import pytest

from appliance import __main__
from appliance.web.static_files import PAGES, PUBLIC_PAGES, find_webui_dir
from tests.children import ROOT

README = (ROOT / "README.md").read_text()
TABLE = README.partition("## The Windows product's manual\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TABLE.splitlines()
    if line.startswith("| ") and not line.startswith("| the manual says")
]
SEEN = sorted({span for row in ROWS for span in re.findall("`([^`]+)`", row[-1])})
PLACES = sorted({span for row in ROWS for span in re.findall("`([^`]+)`", row[1])})
PROGRAMS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


def test_the_table_is_there() -> None:
    assert len(ROWS) > 30
    assert {len(row) for row in ROWS} == {3}


@pytest.mark.parametrize("typed", [each for each in SEEN if each.split()[0] in PROGRAMS])
def test_a_command_can_be_typed_as_printed(typed: str) -> None:
    program, *arguments = shlex.split(typed)
    assert __main__._build_parser(program).parse_args(arguments).do


@pytest.mark.parametrize("command", ["pm_query", "pm_import_printers", "pm_wizard", "testapp"])
def test_every_program_of_the_manual_is_in_the_table(command: str) -> None:
    assert [typed for typed in SEEN if typed.split()[0] == command]


@pytest.mark.parametrize("seen", [each for each in SEEN if each.split()[0] not in PROGRAMS])
def test_whatever_else_is_named_exists(seen: str) -> None:
    if seen.startswith("make "):
        assert re.search(rf"^{seen.split()[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    elif seen.startswith("/"):
        name = (PAGES | PUBLIC_PAGES)[seen]
        assert (find_webui_dir() / f"{name}.html").is_file()
    else:
        assert (ROOT / seen).is_file()


@pytest.mark.parametrize("place", [each for each in PLACES if "/" in each or each.endswith(".py")])
def test_places_exist(place: str) -> None:
    if re.match(r"/|\d", place):
        return  # a page, an example
    assert [found for top in (ROOT, ROOT / "appliance") for found in top.glob(place)]


@pytest.mark.parametrize(
    "setting",
    [each for each in PLACES if re.fullmatch(r"(discovery|import|schedule|transmission)\.[a-z_.]+", each)],
)
def test_settings_exist(setting: str) -> None:
    assert re.search(rf"^\| `{re.escape(setting)}` \|", README, re.MULTILINE)


def test_links_lead_to_headings() -> None:
    headings = re.findall("^#+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\(#([^)]+)\)", README)) <= anchors
