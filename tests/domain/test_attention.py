from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from appliance.domain import attention
from appliance.domain.attention import PlugFacts
from appliance.domain.model import Details, Supply
from appliance.domain.printer_status import AssessedPrinter, assess_printer
from appliance.domain.sending import ParcelCounts, SendingObstacle, find_obstacle
from appliance.domain.supplies import assess_supplies

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WELL = PlugFacts(NOW)
OFF = SendingObstacle("transmission-off", "off")
BLACK = Supply(1, 3, 3, "black", "Black toner", 19, 100, 5)
CYAN = Supply(2, 3, 3, "cyan", "Cyan toner", 7, None, 0)
DRUM = Supply(3, 3, 9, None, "Drum", 19, 100, 2)


@dataclass(frozen=True)
class Ongoing:
    kind: str
    subject: str = "storage"
    text: str = "the text"
    begun_at: datetime = NOW


def printer(
    details: Details | None = None, *supplies: Supply, failure: str | None = None, ignored: bool = False
) -> AssessedPrinter:
    known, assessed = details or Details(), tuple(assess_supplies(supplies))
    state = assess_printer(known, assessed, responding=failure is None, ignored=ignored)
    return AssessedPrinter(7, "LaserJet", known, assessed, state, failure, NOW)


@pytest.mark.parametrize(
    ("facts", "reasons", "on_led"),
    [
        (WELL, [], False),
        (replace(WELL, poller_running=False), [("poller", "error")], False),
        (replace(WELL, trap_receiver_running=False), [("traps", "error")], False),
        (replace(WELL, has_entries=False), [("no-entries", "info")], False),
        (replace(WELL, settings_problems=("bad",)), [("settings", "error")], False),
        (replace(WELL, sending_obstacle=OFF), [("transmission-off", "info")], True),
        (replace(WELL, parcels=ParcelCounts(refused=2)), [("parcel-refused", "error")], True),
        (replace(WELL, parcels=ParcelCounts(51, 0, NOW)), [("parcels-waiting", "warning")], True),
        (replace(WELL, parcels=ParcelCounts(1, 0, NOW)), [], False),
        (
            replace(WELL, parcels=ParcelCounts(51, 0, NOW), sending_obstacle=OFF),
            [("transmission-off", "info")],
            True,
        ),
        (replace(WELL, events=(Ongoing("disk nearly full"),)), [("event", "warning")], True),
        (replace(WELL, events=(Ongoing("address"),)), [("event", "warning")], False),
    ],
)
def test_the_plug_has_its_reasons(facts: PlugFacts, reasons: list[tuple[str, str]], on_led: bool) -> None:
    listed = attention.list_reasons(facts)
    assert [(reason.code, reason.severity) for reason in listed] == reasons
    assert any(reason.on_led for reason in listed) == on_led


@pytest.mark.parametrize(
    ("mode", "has_key", "licence", "missing", "code"),
    [
        ("https", True, "the licence expired", None, "licence"),
        ("https", False, None, None, "licence"),
        ("https", True, None, "transmission.https.url", "settings"),
    ],
)
def test_what_stops_the_transmission_is_an_error_and_on_the_led(
    mode: str, has_key: bool, licence: str | None, missing: str | None, code: str
) -> None:
    obstacle = find_obstacle(mode=mode, has_key=has_key, licence_obstacle=licence, missing_setting=missing)
    (reason,) = attention.list_reasons(replace(WELL, sending_obstacle=obstacle))
    assert (reason.code, reason.severity, reason.on_led) == (code, "error", True)
    assert licence is None or reason.text == licence
    assert missing is None or missing in reason.text


def test_nothing_is_listed_twice() -> None:
    facts = replace(
        WELL,
        sending_obstacle=SendingObstacle("licence", "the licence expired"),
        parcels=ParcelCounts(3, 0, NOW - timedelta(hours=3), "no route"),
        events=(Ongoing("outbox growing"), Ongoing("licence"), Ongoing("clock")),
    )
    listed = attention.list_reasons(facts)
    assert [reason.code for reason in listed] == ["licence", "parcels-waiting", "event"]
    assert (listed[1].subject, listed[1].detail, listed[1].since) == (
        "3",
        "no route",
        NOW - timedelta(hours=3),
    )


@pytest.mark.parametrize(
    ("assessed", "code", "severity", "detail"),
    [
        (printer(Details(errors=("jammed", "lowToner")), BLACK), "printer-error", "error", "jammed lowToner"),
        (printer(Details(device_status=5)), "printer-error", "error", None),
        (printer(Details(), BLACK, CYAN, DRUM), "supply-empty", "error", "Cyan toner"),
        (printer(Details(errors=("lowToner",)), BLACK, DRUM), "supply-low", "warning", "Drum"),
        (printer(Details(errors=("lowPaper",))), "printer-error", "warning", "lowPaper"),
        (printer(Details(device_status=3)), "printer-error", "warning", None),
        (printer(failure="no answer"), "printer-silent", "warning", "no answer"),
    ],
)
def test_a_printer_has_one_reason_as_severe_as_its_state(
    assessed: AssessedPrinter, code: str, severity: str, detail: str | None
) -> None:
    reason = attention.printer_reason(assessed)
    assert reason
    assert (reason.code, reason.severity, reason.detail, reason.printer_id) == (code, severity, detail, 7)
    assert assessed.state in (severity, "silent")


def test_a_printer_that_is_well_or_ignored_needs_nothing() -> None:
    well, ignored = printer(), printer(Details(errors=("jammed",)), ignored=True)
    assert attention.list_reasons(WELL, [well, ignored]) == []


def test_the_worst_comes_first() -> None:
    low, jammed = printer(Details(), BLACK), printer(Details(errors=("jammed",)))
    listed = attention.list_reasons(replace(WELL, sending_obstacle=OFF), [low, jammed])
    assert [reason.severity for reason in listed] == ["error", "warning", "info"]
