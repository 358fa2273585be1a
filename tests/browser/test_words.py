"""Both languages say the same things, nothing that is asked for is missing, nothing is there for nobody."""

import json
import re
from pathlib import Path

WEBUI = Path(__file__).resolve().parents[2] / "webui"
WORDS = {name: json.loads((WEBUI / f"i18n/{name}.json").read_text()) for name in ("en", "de")}
SOURCES = "\n".join(
    path.read_text() for path in [*WEBUI.glob("*.html"), *WEBUI.glob("app/*.js"), *WEBUI.glob("pages/*.js")]
)


def used() -> tuple[set[str], set[str]]:
    """Keys, and groups of keys whose last part is only known when the page runs."""
    keys = set(re.findall(r'data-t(?:-label|-placeholder)?="([^"]+)"', SOURCES))
    keys |= set(re.findall(r"'data-t': '([^']+)'", SOURCES))
    for element in re.findall(r"<pm-(?:field|table) [^>]*>", SOURCES):
        for value in re.findall(r'\b(?:label|hint|caption|columns)="([^"]+)"', element):
            keys |= {word.partition(":")[0] for word in value.split()}
    groups = {f"{name}." for name in re.findall(r"\bword\('([\w-]+)'", SOURCES)}
    for call in re.findall(r"\b(?:t|itemList)\(((?:[^()]|\([^()]*\))*)\)", SOURCES):
        keys |= set(re.findall(r"'([a-z][\w-]*(?:\.[\w-]+)*)'", call)) & {plain(key) for key in WORDS["en"]}
        if re.match(r"'[^']+'", call) and re.match(r"'([^']+)'", call)[1] not in keys:  # type: ignore[index]
            keys.add(re.match(r"'([^']+)'", call)[1])  # type: ignore[index]
        groups |= set(re.findall(r"`([a-z][\w.-]*\.)\$\{", call))
    return keys, groups


def plain(key: str) -> str:
    """Without the ending of a count."""
    return key.partition("#")[0]


def test_languages_have_the_same_keys_and_places() -> None:
    assert WORDS["en"].keys() == WORDS["de"].keys()
    for key, text in WORDS["en"].items():
        assert text.strip(), key
        assert WORDS["de"][key].strip(), key
        places = [sorted(set(re.findall(r"\{\w+\}", WORDS[name][key]))) for name in ("en", "de")]
        assert places[0] == places[1], key


def test_no_key_is_missing_or_unused() -> None:
    keys, groups = used()
    there = {plain(key) for key in WORDS["en"]}
    assert {key for key in keys if key not in there and "." in key} == set()
    assert {key for key in there if key not in keys and not key.startswith(tuple(groups))} == set()
    for group in groups:
        assert any(key.startswith(group) for key in there), group


def test_counts_have_all_their_forms() -> None:
    for key in WORDS["en"]:
        if "#" in key:
            assert {f"{plain(key)}#one", f"{plain(key)}#other"} <= WORDS["en"].keys()


def test_words_of_the_api_are_all_there() -> None:
    """Every choice of the API's description that pages show by a group of words."""
    schemas = json.loads((WEBUI / "openapi.json").read_text())["components"]["schemas"]

    def choices(schema: str, name: str) -> list[str]:
        found = schemas[schema]["properties"][name]
        found = next((each for each in found.get("anyOf", [found]) if "enum" in each), found)
        return list(found.get("enum", []))

    expected = {
        "state": choices("Printer", "state"),
        "status": choices("Printer", "status"),
        "counter": choices("Counter", "name"),
        "supply-state": schemas["SupplyState"]["enum"],
        "job-state": choices("Job", "state"),
        "run": choices("Job", "kind"),
        "parcel": choices("Parcel", "state"),
        "service-state": choices("Service", "state"),
        "service": choices("Service", "name"),
        "trap-state": choices("Traps", "state"),
        "network-trial": [state for state in choices("NetworkTrial", "state") if state != "none"],
        "network-kind": choices("Link", "kind"),
        "licence": choices("Licence", "state"),
        "attention-subject": [
            kind for kind in choices("Attention", "kind") if not kind.startswith(("printer-", "supply-"))
        ],
        "availability": choices("SubUnitStatus", "availability"),
        "step": schemas["TransmissionTest"]["properties"]["steps"]["items"]["properties"]["name"]["enum"],
    }
    for group, names in expected.items():
        assert names, group
        for name in names:
            assert f"{group}.{name}" in WORDS["en"], f"{group}.{name}"
