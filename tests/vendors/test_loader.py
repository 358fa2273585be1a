"""The loader: all vendor files are valid, and a mistake is reported with its file, rule and key."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.domain.model import CounterName
from appliance.vendors import loader, vendors
from appliance.vendors.counter_parser import parse_rule
from appliance.vendors.counter_rules import Confidence, CountUnit
from appliance.vendors.errors import VendorFileError
from appliance.vendors.toml_section import TomlSection
from tests.children import ROOT

VALID = """\
name = "Acme"
enterprises = ["99999"]
model = "99999.1.1.0"

[brands]
acme = "Acme"

[[sources]]
kind = "scalars"
root = "99999.2"

[[sources]]
kind = "summed_rows"
table = "acmeSizes"
entry = "99999.3.1"
object = "acmeSize"
value_columns = [3]
discovery_column = 2
[sources.columns]
size = { column = 2, bytes = 2 }
[sources.sums]
large = { size = ["a3"] }

[[proofs]]
sum = ["3.0", { optional = "4.0" }]
keys = ["3.0"]

[evidence]
unit = "pages"
confidence = "reported"
known_from = ["a manual"]

[counters.total]
from = ["1.0", "life"]

[counters.large]
from = ["large"]

[counters.print_total]
from = [["3.0", "4.0"]]
confidence = "verified"
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_files(**texts: str) -> Path:
        for name, text in texts.items():
            (tmp_path / f"{name}.toml").write_text(text)
        return tmp_path

    return write_files


def load(folder: Path) -> None:
    for vendor in loader.load_vendors(folder):
        assert vendor.counters is not None


def test_all_vendor_files_are_valid() -> None:
    assert len(vendors.all_vendors()) == len(list(loader.FOLDER.glob("*.toml")))
    for vendor in vendors.all_vendors():
        for counters in vendor.counters:
            assert CounterName.TOTAL in counters.rules


@pytest.mark.parametrize("path", sorted(loader.FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_the_two_parts_are_the_file(path: Path) -> None:
    identity, counters = map(tomllib.loads, loader.split_file(path))

    assert identity | counters == tomllib.loads(path.read_text())
    assert not set(identity) & set(counters)


def test_vendor_files_are_packaged() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "vendors/*.toml" in project["tool"]["setuptools"]["package-data"]["appliance"]


def test_a_valid_file(write: Write) -> None:
    (vendor,) = loader.load_vendors(write(acme=VALID))
    (counters,) = vendor.counters

    assert (vendor.name, vendor.model, vendor.brands) == ("Acme", "99999.1.1.0", {"acme": "Acme"})
    assert vendor.printer_prefixes == ("99999",)
    assert set(vendors.vendor_scalars(vendor)) >= {(1, 3, 6, 1, 4, 1, 99999, 2, 1, 0)}
    rule = counters.rules[CounterName.PRINT_TOTAL]
    assert (rule.unit, rule.confidence) == (CountUnit.PAGES, Confidence.VERIFIED)
    assert rule.known_from == ("a manual",)
    assert counters.rules[CounterName.TOTAL].confidence is Confidence.REPORTED


def test_the_choices_of_a_rule() -> None:
    evidence = {"unit": "pages", "confidence": "reported", "known_from": ["a manual"]}
    rule = {"from": [["a", {"optional": "b"}], "1.2.0"], "else_from": [["t10"]]}

    assert parse_rule(TomlSection(rule, "rule"), TomlSection(evidence, "evidence")).choices == (
        ((("a", False), ("b", True)), (("1.2.0", False),)),
        ((("t10", False),),),
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "Acme"\n', "", "acme.toml: the key name is missing"),
        ('name = "Acme"', "name = 7", "acme.toml: name: a text expected, not 7"),
        ('["99999"]', "[]", "acme.toml: enterprises is missing"),
        ('["99999"]', '"99999"', "acme.toml: enterprises: a list expected"),
        ("model =", "modell =", "acme.toml: unknown key modell"),
        ('"99999.1.1.0"', '"printer"', "acme.toml: model: 'printer' is not an OID"),
        ("acme = ", "Acme = ", "acme.toml: brands: Acme has to be in lower case"),
        (
            'kind = "scalars"',
            'kind = "scalar"',
            "acme.toml: sources 1: kind: 'scalar' is not one of ",
        ),
        ("root =", "roots =", "acme.toml: sources 1: the key root is missing"),
        ("discovery_column = 2", "", "acme.toml: sources 2: the key discovery_column is missing"),
        ("bytes = 2", "byte = 2", "acme.toml: sources 2: columns: size: the key bytes is missing"),
        ("{ size = [", "{ sise = [", "acme.toml: sources 2: sums: large: sise is not among the columns"),
        ("[3]", "[true]", "acme.toml: sources 2: value_columns: a number expected, not True"),
        ('"a3"', "[]", "acme.toml: sources 2: sums: large: size: a text expected"),
        ("counters.large", "counters.huge", "acme.toml: counters: huge is not a counter: total,"),
        ("[counters.total]", "[counters.scan]", "acme.toml: counters: the counter total is missing"),
        ('"1.0", "life"', "", "acme.toml: counters: total: from: the list is empty"),
        ('"1.0", "life"', "1", "acme.toml: counters: total: from: a text expected, not 1"),
        ('"1.0", "life"', '"t10"', "acme.toml: counters: total: no source has the key 't10'"),
        ('["large"]', '["sizes"]', "acme.toml: counters: large: no source has the key 'sizes'"),
        ('"verified"', '"sure"', "counters: print_total: confidence: 'sure' is not one of verified, corrob"),
        ('confidence = "reported"\n', "", "acme.toml: evidence: the key confidence is missing"),
        ('["a manual"]', "[]", "known_from is empty"),
        ('unit = "pages"', 'unit = "pages"\nnote = ""', "acme.toml: evidence: unknown key note"),
        (
            'from = ["large"]',
            'from = ["large"]\norelse = []',
            "acme.toml: counters: large: unknown key orelse",
        ),
        ("optional = ", "maybe = ", "acme.toml: proofs 1: sum: the key optional is missing"),
        ('keys = ["3.0"]', "keys = []", "acme.toml: proofs 1: sum and keys are required"),
        ('keys = ["3.0"]', 'keys = ["x"]', "acme.toml: counters: proofs: no source has the key 'x'"),
        ("[counters.total]", "[counters.total", "acme.toml: Expected ']'"),
    ],
)
def test_a_mistake_is_reported_with_its_place(write: Write, old: str, new: str, message: str) -> None:
    assert VALID.count(old) >= 1
    with pytest.raises(VendorFileError) as raised:
        load(write(acme=VALID.replace(old, new, 1)))
    assert message in str(raised.value)


def test_the_line_of_a_syntax_error_is_that_of_the_file(write: Write) -> None:
    line = VALID[: VALID.index("[counters.total]")].count("\n") + 1
    with pytest.raises(VendorFileError, match=f"at line {line}, "):
        load(write(acme=VALID.replace("[counters.total]", "[counters.total")))


def test_sources_need_counters(write: Write) -> None:
    with pytest.raises(VendorFileError, match=r"acme\.toml: sources or proofs without counters"):
        load(write(acme=VALID[: VALID.index("[evidence]")]))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ('name = "B"\nenterprises = ["99999"]', "b.toml: enterprises: 99999 is in acme.toml too"),
        ('name = "B"\nenterprises = ["7"]\n[brands]\nacme = "B"', "b.toml: brands: acme is in acme.toml too"),
        (
            'name = "B"\nenterprises = ["7"]\n[shared_brands]\nbee = "B"',
            "b.toml: shared_brands: bee is no other vendor's brand",
        ),
        (
            'name = "B"\nenterprises = ["7"]\ncounters_like = ["acne"]',
            "b.toml: counters_like: no other file acne.toml",
        ),
    ],
)
def test_files_that_contradict_one_another(write: Write, other: str, message: str) -> None:
    with pytest.raises(VendorFileError) as raised:
        load(write(acme=VALID, b=other))
    assert message in str(raised.value)


def test_a_vendor_with_the_counters_of_another(write: Write) -> None:
    folder = write(acme=VALID, b='name = "B"\nenterprises = ["7"]\ncounters_like = ["acme"]')
    acme, other = loader.load_vendors(folder)

    assert other.counters == acme.counters
