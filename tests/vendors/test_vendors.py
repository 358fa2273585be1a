"""Vendors: whose printer it is, and which objects are requested from it."""

import pytest

from appliance.vendors import vendors
from tests.collector.cells import cells
from tests.fakes.models import MODELS


def number(dotted: str) -> tuple[int, ...]:
    return (1, 3, 6, 1, 4, 1, *map(int, dotted.split(".")))


@pytest.mark.parametrize(
    ("object_id", "description", "name", "manufacturer"),
    [
        ("367.1.1", "RICOH Aficio MP 201 1.04 / RICOH Network Printer", "Ricoh", "Ricoh"),
        ("367.1.1", "LANIER MP C3501 2.01 / LANIER Network Printer", "Ricoh", "Lanier"),
        ("367.1.1", "Aficio, rebranded by Xerox", "Ricoh", "Ricoh"),
        ("641.1", "IBM Infoprint 1130", "Lexmark", "IBM"),
        ("641.2.71", "Dell 2330dn Laser Printer", "Lexmark", "Dell"),
        ("1347.41", "TA_UTAX Printing System", "Kyocera", "UTAX"),
        ("18334.1.2", "Develop ineo 280", "Konica Minolta", "Develop"),
        ("18334.1.2", "Olivetti d-Color MF283", "Konica Minolta", "Olivetti"),
        ("1347.41", "Olivetti d-Copia 4003MF", "Kyocera", "Olivetti"),
        ("297.1", "FUJI XEROX ApeosPort-V C3375", "FUJIFILM", "Fuji Xerox"),
        ("297.1", "FUJIFILM Apeos C3070", "FUJIFILM", "FUJIFILM"),
        ("11.2.3.9.1", "OKI C844 / HP ETHERNET MULTI-ENVIRONMENT", "HP", "OKI"),
        ("99999.1", "Kyocera FS-1020D", "Kyocera", "Kyocera"),  # unknown number: the brand decides
        ("1602.4.7", "iR-ADV C5235", "Canon", "Canon"),
    ],
)
def test_vendor(object_id: str, description: str, name: str, manufacturer: str) -> None:
    found = vendors.find_vendor(number(object_id), description)

    assert found is not None
    assert found.name == name
    assert vendors.resolve_manufacturer(number(object_id), description) == manufacturer


@pytest.mark.parametrize("description", [None, "", "Some box", "shipshape", "hpx 12", "sharpener"])
def test_an_unknown_device_has_no_vendor(description: str | None) -> None:
    assert vendors.find_vendor(number("99999.1"), description) is None
    assert vendors.find_vendor(None, description) is None
    assert vendors.resolve_manufacturer((), description) is None


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_a_printer_is_recognized_by_its_object_id(model) -> None:
    object_id = cells(model.rows())[(1, 3, 6, 1, 2, 1, 1, 2, 0)]

    assert isinstance(object_id, tuple)
    assert vendors.is_printer_object_id(object_id) is model.is_printer


def test_each_enterprise_number_has_one_vendor() -> None:
    enterprises = [number for vendor in vendors.all_vendors() for number in vendor.enterprises]

    assert len(enterprises) == len(set(enterprises))
    assert not vendors.is_printer_object_id(number("11.2.3.7.11"))  # an HP switch
    assert not vendors.is_printer_object_id(())


def test_all_objects_are_private_ones() -> None:
    for vendor in vendors.all_vendors():
        for oid in vendors.vendor_scalars(vendor):
            assert oid[:6] == (1, 3, 6, 1, 4, 1)
        assert set(vendors.volatile_scalars(vendor)) <= set(vendors.vendor_scalars(vendor))


def test_table_names_are_unique_within_a_vendor() -> None:
    for vendor in vendors.all_vendors():
        names = [table.name for table in vendors.vendor_tables(vendor)]
        assert len(names) == len(set(names))


def test_a_printer_without_a_name_is_recognized_by_its_private_objects() -> None:
    own = [number("11.2.3.9.1.1.7.0"), number("253.8.53.13.2.1.6.1.20.34")]

    assert vendors.find_vendor_by_objects(own) is vendors.find_vendor(None, "Xerox")
    assert vendors.find_vendor_by_objects(own[:1]) is None
