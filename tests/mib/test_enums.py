import json
from pathlib import Path

import pytest

from appliance.domain.model import VagueAmount
from appliance.mib import enums
from appliance.mib.enums import MibEnum

CATALOGUE = Path(__file__).parents[2] / "webui/i18n/en.json"
CAPITALIZED = {
    "status": enums.PRINTER_STATUS,
    "supply-type": enums.SUPPLY_TYPE,
    "severity": enums.SEVERITY,
    "training": enums.TRAINING,
    "alert-group": enums.ALERT_GROUP,
    "input-type": enums.INPUT_TYPE,
    "output-type": enums.OUTPUT_TYPE,
    "storage": enums.STORAGE_TYPE,
}
LOWER_CASE = {"unit": enums.SUPPLY_UNIT, "availability": enums.AVAILABILITY}
NOT_SHOWN = {"unit.other", "unit.unknown"}  # the page leaves the unit out


def catalogue_labels() -> dict[str, str]:
    """Return the English labels of all enumerations under the keys of the web UI."""
    labels = {}
    for capitalize, groups in ((True, CAPITALIZED), (False, LOWER_CASE)):
        for group, enum in groups.items():
            for name in enum.names.values():
                label = enum.label_of(name)
                labels[f"{group}.{name}"] = label[:1].upper() + label[1:] if capitalize else label
    return {key: label for key, label in labels.items() if key not in NOT_SHOWN}


def test_the_web_ui_shows_the_same_english_labels():
    catalogue = json.loads(CATALOGUE.read_text())
    expected = catalogue_labels()
    assert {key: catalogue.get(key) for key in expected} == expected


@pytest.mark.parametrize("enum", [*CAPITALIZED.values(), *LOWER_CASE.values(), enums.DEVICE_STATUS])
def test_a_label_belongs_to_a_name(enum: MibEnum):
    assert set(enum.labels) <= set(enum.names.values())


def test_numbers_outside_the_mib_stay_visible():
    assert enums.SUPPLY_TYPE.name(3) == "toner"
    assert enums.SUPPLY_TYPE.name(99) == "99"
    assert enums.SUPPLY_TYPE.name(None) is None
    assert enums.SUPPLY_TYPE.label(4) == "waste toner"
    assert enums.SUPPLY_TYPE.label(99) == "99"
    assert enums.SUPPLY_TYPE.label(None) == "-"
    assert enums.CAPACITY_UNIT.name(7) == "7"


def test_a_unit_is_shown_undivided():
    assert enums.unit_label(15) == "1/10 ml"
    assert enums.unit_label(3) == "1/10,000 inches"
    assert enums.unit_label(8) == "sheets"
    assert enums.unit_label(None) == "-"


def test_an_amount_may_be_a_keyword():
    assert enums.amount_label(12_345) == "12,345"
    assert enums.amount_label(VagueAmount.SOME_LEFT) == "some left"
    assert enums.amount_label(None) == "-"
    assert enums.amount_or_keyword(VagueAmount.UNKNOWN) == "unknown"


def test_a_storage_type_is_an_oid():
    assert enums.storage_type_name("1.3.6.1.2.1.25.2.1.10") == "hrStorageNetworkDisk"
    assert enums.storage_type_label("1.3.6.1.2.1.25.2.1.2") == "RAM"
    assert enums.storage_type_name("1.3.6.1.4.1.9.2") == "1.3.6.1.4.1.9.2"
    assert enums.storage_type_name("1.3.6.1.2.1.25.2.1.77") == "1.3.6.1.2.1.25.2.1.77"
    assert enums.storage_type_name(None) is None
    assert enums.storage_type_label(None) == "-"


def test_a_subunit_status_has_parts():
    assert enums.subunit_status_label(0) == "available"
    assert enums.subunit_status_label(16 + 32 + 3) == "broken, critical alert, offline"
    assert enums.subunit_status_label(-1) == "-"
    assert enums.decode_subunit_status(7 + 8 + 64) == {
        "availability": "unknown",
        "noncritical_alerts": True,
        "critical_alerts": False,
        "offline": False,
        "transitioning": True,
    }


def test_a_length_in_millimetres():
    assert enums.to_millimetres(2_970_00, 4) == 297.0
    assert enums.to_millimetres(110_000, 3) == 279.4
    assert enums.to_millimetres(VagueAmount.UNKNOWN, 4) is None
    assert enums.to_millimetres(5, None) is None
