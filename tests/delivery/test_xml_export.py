"""The XML: the reference's elements in its order, well formed whatever a device sends."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from appliance.delivery import xml_export
from appliance.domain.model import Counter, CounterName, InputTray, Kept, Printer, Target
from tests.delivery.printers import BARE, FULL, LATER, NOON
from tests.delivery.sample import SAMPLE, printer_of

ZURICH = ZoneInfo("Europe/Zurich")

GOLDEN = """\
<?xml version="1.0" encoding="utf-8"?>
<NewDataSet>
  <Printers>
    <PrinterID>7</PrinterID>
    <DnsName>flur.example</DnsName>
    <IpAddress>10.0.0.9</IpAddress>
    <Manufacturer>Musterwerk</Manufacturer>
    <Models>Presto 300</Models>
    <Devicename>flur</Devicename>
    <Serialnumber>MW-0042</Serialnumber>
    <MacAddress>0200C0FFEE01</MacAddress>
    <Location>1. OG</Location>
    <Contact/>
    <DisplayText>Bereit</DisplayText>
    <StatusPrinter>3</StatusPrinter>
    <Description>Presto 300 / Netz 2.0</Description>
    <Firmware>2.0.1</Firmware>
    <CreatedAt>2026-01-15T12:00:00.250+01:00</CreatedAt>
    <ChangedAt>2026-01-15T12:00:01.750+01:00</ChangedAt>
    <CounterTotalDevices>1000</CounterTotalDevices>
    <CounterTotalLarge>1001</CounterTotalLarge>
    <CounterTotalDuplex>1002</CounterTotalDuplex>
    <CounterPrintTotalBlack>1003</CounterPrintTotalBlack>
    <CounterPrintTotalSingleColor>1004</CounterPrintTotalSingleColor>
    <CounterPrintTotalFullColor>1005</CounterPrintTotalFullColor>
    <CounterCopyTotalBlack>1006</CounterCopyTotalBlack>
    <CounterCopyTotalSingleColor>1007</CounterCopyTotalSingleColor>
    <CounterCopyTotalFullColor>1008</CounterCopyTotalFullColor>
    <CounterFaxTotal>1009</CounterFaxTotal>
    <SmpVersion>2</SmpVersion>
    <SmpCommunityRead>public</SmpCommunityRead>
    <SmpCommunityWrite>private</SmpCommunityWrite>
    <SmpAuthenticationProtocol>0</SmpAuthenticationProtocol>
    <SmpEncryptionAlgorithm>0</SmpEncryptionAlgorithm>
    <SmpPort>1161</SmpPort>
    <DeviceGroupID>0</DeviceGroupID>
    <Ignore>false</Ignore>
    <PrinterAlerts>
      <AlertID>12</AlertID>
      <PrinterID>7</PrinterID>
      <Code>808</Code>
      <SeverityLevel>3</SeverityLevel>
      <TrainingLevel>2</TrainingLevel>
      <Group>8</Group>
      <GroupIndex>1</GroupIndex>
      <Location>500</Location>
      <Description>Fach 1 leer</Description>
      <Time>12345</Time>
      <CreatedAt>2026-01-15T12:00:00.250+01:00</CreatedAt>
      <ChangedAt>2026-01-15T12:00:01.750+01:00</ChangedAt>
    </PrinterAlerts>
    <PrinterSupplies>
      <SupplyID>11</SupplyID>
      <PrinterID>7</PrinterID>
      <Type>3</Type>
      <Color>black</Color>
      <Class>3</Class>
      <Description>Toner</Description>
      <Unit>19</Unit>
      <Capacity>-2</Capacity>
      <Level>-3</Level>
      <CreatedAt>2026-01-15T12:00:00.250+01:00</CreatedAt>
      <ChangedAt>2026-01-15T12:00:01.750+01:00</ChangedAt>
    </PrinterSupplies>
    <PrinterInputs>
      <InputID>13</InputID>
      <PrinterID>7</PrinterID>
      <Index>1</Index>
      <Type>3</Type>
      <DimUnit>4</DimUnit>
      <MediaDimFeedDirDeclared>210000</MediaDimFeedDirDeclared>
      <MediaDimFeedDirDeclared>297000</MediaDimFeedDirDeclared>
      <MediaDimFeedDirChosen>210001</MediaDimFeedDirChosen>
      <MediaDimFeedDirChosen>297001</MediaDimFeedDirChosen>
      <CapacityUnit>8</CapacityUnit>
      <MaxCapacity>550</MaxCapacity>
      <CurrentLevel>0</CurrentLevel>
      <Status>9</Status>
      <MediaName>A4</MediaName>
      <Names>Fach 1</Names>
      <VendorName>Musterwerk</VendorName>
      <Model>PF-1</Model>
      <Version>1</Version>
      <Serialnumber>PF-0007</Serialnumber>
      <Description>Papierfach</Description>
      <Security>5</Security>
      <MediaWeights>80</MediaWeights>
      <MediaType>stationery</MediaType>
      <MediaColor>white</MediaColor>
      <MediaFormParts>-2</MediaFormParts>
      <MediaLoadTimeout>-1</MediaLoadTimeout>
      <NextIndex>2</NextIndex>
      <CreatedAt>2026-01-15T12:00:00.250+01:00</CreatedAt>
      <ChangedAt>2026-01-15T12:00:01.750+01:00</ChangedAt>
    </PrinterInputs>
    <PrinterOutputs>
      <OutputID>14</OutputID>
      <PrinterID>7</PrinterID>
      <Index>1</Index>
      <Type>4</Type>
      <CapacityUnit>8</CapacityUnit>
      <MaxCapacity>500</MaxCapacity>
      <RemainingCapacity>-3</RemainingCapacity>
      <Status>0</Status>
      <Name>Ablage</Name>
      <VendorName>Musterwerk</VendorName>
      <Model/>
      <Version/>
      <Serialnumber/>
      <Description>Obere Ablage</Description>
      <Security>5</Security>
      <DimUnit>4</DimUnit>
      <MaxDimFeedDir>420000</MaxDimFeedDir>
      <MaxDimFeedDir>297000</MaxDimFeedDir>
      <MinDimFeedDir>148000</MinDimFeedDir>
      <MinDimFeedDir>105000</MinDimFeedDir>
      <StackingOrder>3</StackingOrder>
      <PageDeliveryOrientation>4</PageDeliveryOrientation>
      <Bursting>5</Bursting>
      <Decollating>6</Decollating>
      <PageCollated>7</PageCollated>
      <OffsetStacking>8</OffsetStacking>
      <CreatedAt>2026-01-15T12:00:00.250+01:00</CreatedAt>
      <ChangedAt>2026-01-15T12:00:01.750+01:00</ChangedAt>
    </PrinterOutputs>
    <PrinterStorages>
      <StorageID>15</StorageID>
      <PrinterID>7</PrinterID>
      <Index>1</Index>
      <Type>1.3.6.1.2.1.25.2.1.2</Type>
      <Description>RAM</Description>
      <AllocationUnits>1024</AllocationUnits>
      <Size>65536</Size>
      <Used>4096</Used>
      <AllocationFailures>0</AllocationFailures>
      <CreatedAt>2026-01-15T12:00:00.250+01:00</CreatedAt>
      <ChangedAt>2026-01-15T12:00:01.750+01:00</ChangedAt>
    </PrinterStorages>
  </Printers>
</NewDataSet>
"""


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    # libxml2 refuses a schema that is not deterministic (Unique Particle Attribution)
    return etree.XMLSchema(etree.fromstring(files("appliance.delivery").joinpath("export.xsd").read_bytes()))


def rendered(*printers: Printer, names: Literal["printed", "mib"] = "printed") -> etree._Element:
    return etree.fromstring(xml_export.render(printers, ZURICH, names))


def names_of(element: etree._Element) -> list[str]:
    return [child.tag for child in element]


def test_a_printer_with_everything() -> None:
    assert xml_export.render([FULL], ZURICH).decode() == GOLDEN


def test_the_same_printers_give_the_same_bytes() -> None:
    assert xml_export.render(iter([FULL, BARE]), ZURICH) == xml_export.render([FULL, BARE], ZURICH)


def test_names_of_the_mib_differ_where_the_sample_is_damaged() -> None:
    printed = GOLDEN.splitlines()
    mib = xml_export.render([FULL], ZURICH, "mib").decode().splitlines()
    assert [
        re.findall(r"<(\w+)", there)[0] for here, there in zip(printed, mib, strict=True) if here != there
    ] == [
        "SnmpVersion",
        "SnmpCommunityRead",
        "SnmpCommunityWrite",
        "SnmpAuthenticationProtocol",
        "SnmpEncryptionAlgorithm",
        "SnmpPort",
        "MediaDimXFeedDirDeclared",
        "MediaDimXFeedDirChosen",
        "MaxDimXFeedDir",
        "MinDimXFeedDir",
    ]


def test_what_the_printer_did_not_say_is_left_out() -> None:
    assert names_of(rendered(BARE)[0]) == [
        "PrinterID",
        "DnsName",
        "IpAddress",
        "CreatedAt",
        "ChangedAt",
        "SmpVersion",
        "SmpCommunityRead",
        "SmpCommunityWrite",
        "SmpAuthenticationProtocol",
        "SmpEncryptionAlgorithm",
        "SmpPort",
        "DeviceGroupID",
        "Ignore",
    ]


def test_no_printers() -> None:
    assert (
        xml_export.render([], ZURICH)
        == b'<?xml version="1.0" encoding="utf-8"?>\n<NewDataSet>\n</NewDataSet>\n'
    )


def test_a_counter_of_zero_is_a_value_and_an_unknown_one_is_absent() -> None:
    printer = rendered(replace(BARE, counters=(Counter(CounterName.FAX, 0, "test"),)))[0]
    assert printer.findtext("CounterFaxTotal") == "0"
    assert printer.find("CounterTotalDevices") is None


def test_an_ignored_printer_stays_with_its_last_values_and_says_so() -> None:
    printer = rendered(replace(FULL, ignore=True))[0]
    assert printer.findtext("Ignore") == "true"
    assert printer.findtext("CounterTotalDevices") == "1000"


@pytest.mark.parametrize(("version", "shown"), [("1", "1"), ("2", "2"), ("auto", None)])
def test_the_snmp_version(version: Literal["1", "2", "auto"], shown: str | None) -> None:
    printer = replace(BARE, target=Target("10.0.0.5", snmp_version=version))
    assert rendered(printer)[0].findtext("SmpVersion") == shown


def test_times_follow_the_zone_through_the_year() -> None:
    summer = replace(BARE, created_at=datetime(2026, 7, 1, 12, tzinfo=UTC), changed_at=NOON)
    printer = rendered(summer)[0]
    assert printer.findtext("CreatedAt") == "2026-07-01T14:00:00.000+02:00"
    assert printer.findtext("ChangedAt") == "2026-01-15T12:00:00.250+01:00"
    in_utc = etree.fromstring(xml_export.render([summer], UTC))
    assert in_utc.findtext("Printers/CreatedAt") == "2026-07-01T12:00:00.000+00:00"


def readable(text: str) -> str:
    """What of a text XML 1.0 can hold, by its own production: Char ::= #x9 | #xA | #xD | ..."""
    return "".join(
        character
        for character in text
        if character in "\t\n\r"
        or "\x20" <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character >= "\U00010000"
    )


ANY_TEXT = st.text(
    st.characters(codec=None, categories=None) | st.sampled_from("\0\x0b\x1f\r<>&\"'\x85\ud800\udfff￾￿")
)


@given(ANY_TEXT)
def test_any_text_is_well_formed_and_comes_back(text: str) -> None:
    identity = replace(FULL.identity, model=text)
    tray = replace(FULL.inputs[0].row, description=text)
    printer = replace(FULL, identity=identity, inputs=(Kept(1, tray, NOON, LATER),))
    root = rendered(printer)
    assert (root.findtext("Printers/Models") or "") == readable(text)
    assert (root.findtext("Printers/PrinterInputs/Description") or "") == readable(text)


def test_bytes_that_no_xml_can_hold_are_dropped() -> None:
    model = "\0A\x1b[31m\ud800\ufffeB]]>\uffff&amp;\r\n"
    root = rendered(replace(BARE, identity=replace(BARE.identity, model=model)))
    assert root.findtext("Printers/Models") == "A[31mB]]>&amp;\r\n"


def test_a_text_of_nothing_but_rubbish_is_empty() -> None:
    xml = xml_export.render([replace(BARE, details=replace(BARE.details, contact="\0\x01"))], ZURICH)
    assert b"<Contact/>" in xml


@pytest.mark.parametrize("names", ["printed", "mib"])
def test_the_schema_accepts_both_forms(schema: etree.XMLSchema, names: Literal["printed", "mib"]) -> None:
    schema.assertValid(rendered(FULL, BARE, names=names))


DIMENSIONS: tuple[dict[str, int], ...] = (
    {},
    {"media_dim_feed_dir_declared": 1},
    {"media_dim_xfeed_dir_declared": 1},
    {"media_dim_feed_dir_chosen": 1, "media_dim_xfeed_dir_chosen": 2},
)


@pytest.mark.parametrize("names", ["printed", "mib"])
@pytest.mark.parametrize("dimensions", DIMENSIONS)
def test_the_schema_accepts_trays_that_say_little(
    schema: etree.XMLSchema, names: Literal["printed", "mib"], dimensions: dict[str, int]
) -> None:
    tray = Kept(1, InputTray(1, **dimensions), NOON, LATER)  # type: ignore[arg-type]
    schema.assertValid(rendered(replace(BARE, inputs=(tray,)), names=names))


def edits() -> Iterable[tuple[str, str, str]]:
    yield "mixed names", "SmpPort>", "SnmpPort>"
    yield (
        "wrong order",
        "<PrinterID>7</PrinterID>\n    <DnsName>flur.example</DnsName>",
        "<DnsName/><PrinterID>7</PrinterID>",
    )
    yield "a level below -3", "<Level>-3</Level>", "<Level>-4</Level>"
    yield "a time without offset", "12:00:00.250+01:00", "12:00:00.250"
    yield "a code that is no number", "<Code>808</Code>", "<Code>80B</Code>"
    yield (
        "three dimensions",
        "<CapacityUnit>8",
        "<MediaDimFeedDirChosen>1</MediaDimFeedDirChosen><CapacityUnit>8",
    )
    yield "an element of nobody", "<Ignore>", "<Colour/><Ignore>"


@pytest.mark.parametrize(("old", "new"), [pytest.param(old, new, id=name) for name, old, new in edits()])
def test_the_schema_refuses(schema: etree.XMLSchema, old: str, new: str) -> None:
    edited = GOLDEN.replace(old, new)
    assert edited != GOLDEN
    assert not schema.validate(etree.fromstring(edited.encode()))


def test_the_reference_sample_comes_back_byte_for_byte(schema: etree.XMLSchema) -> None:
    """Its three kinds of damage aside: 80B for 808, lost minus signs of -2 and -3."""
    sample = read_sample()
    xml = xml_export.render([printer_of(etree.fromstring(sample))], ZURICH)
    mended = sample.decode().replace("80B", "808")
    for name, sign in (("MediaWeights", 2), ("MediaFormParts", 2), ("MediaLoadTimeout", 2), ("NextIndex", 2)):
        mended = mended.replace(f"<{name}>{sign}<", f"<{name}>-{sign}<")
    mended = mended.replace("<Capacity>2<", "<Capacity>-2<").replace("<Level>3<", "<Level>-3<")
    mended = mended.replace("<RemainingCapacity>3<", "<RemainingCapacity>-3<")
    assert xml.decode() == mended
    schema.assertValid(etree.fromstring(xml))


def read_sample() -> bytes:
    if not Path(SAMPLE).exists():
        pytest.skip(f"no reference sample at {SAMPLE}")
    return SAMPLE.read_bytes()
