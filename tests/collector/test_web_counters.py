"""What a printer's web page adds to its reading, what is remembered, and that nothing is spoiled by it."""

from dataclasses import replace

import pytest

from appliance.collector import web_counters
from appliance.collector.web_counters import (
    EMPTY_EWS_STATE,
    EwsState,
    add_ews_values,
    merge_counters,
)
from appliance.domain.model import (
    Counter,
    CounterName,
    Details,
    Identity,
    PartFailure,
    Reading,
    Supply,
    Target,
    VagueAmount,
)
from appliance.ews.models import EwsPorts
from tests.fakes.pages import NOT_FOUND, Brother, Canon, LexmarkClassic, LexmarkJson
from tests.fakes.website import Handler, Website

ADDRESS = "127.0.9.6"
BROTHER, LEXMARK, CANON = "1.3.6.1.4.1.2435.2.3.9.1", "1.3.6.1.4.1.641.2", "1.3.6.1.4.1.1602.4.7"
TOTAL = Counter(CounterName.TOTAL, 51_482, "prtMarkerLifeCount.1.1")
CSV = "http /etc/mnt_info.csv"


def reading(object_id: str = BROTHER, **more: object) -> Reading:
    return replace(
        Reading(Target(ADDRESS), Identity(object_id=object_id), Details(), counters=(TOTAL,)),
        **more,  # type: ignore[arg-type]
    )


def with_password(password: str) -> Reading:
    return reading(target=Target(ADDRESS, http_password=password))


def ports(site: Website) -> EwsPorts:
    return EwsPorts(site.http, site.https)


async def asked(
    handler: Handler, of: Reading, memory: EwsState = EMPTY_EWS_STATE, *, full: bool = True
) -> tuple[Reading, EwsState, Website]:
    async with Website(handler, ADDRESS) as site:
        return *(await add_ews_values(of, memory, full=full, ports=ports(site))), site


async def test_a_page_fills_what_snmp_leaves_out() -> None:
    found, memory, _ = await asked(Brother(), reading())

    counted = {counter.name: counter for counter in found.counters}
    assert counted[CounterName.TOTAL] == TOTAL
    assert counted[CounterName.COPY_TOTAL] == Counter(CounterName.COPY_TOTAL, 12_087, CSV)
    assert found.details.firmware == "ZC"
    assert (found.failures, found.notes) == ((), ())
    assert (memory.path, memory.adds) == ("/etc/mnt_info.csv", True)


async def test_the_next_query_takes_one_request() -> None:
    _, memory, _ = await asked(Brother(csv=False), reading())
    found, _, site = await asked(Brother(csv=False), reading(), memory, full=False)

    assert CounterName.COPY_TOTAL in {counter.name for counter in found.counters}
    assert len(site.requests) == 1


async def test_a_page_that_adds_nothing_is_asked_at_full_readings_only() -> None:
    known = reading(
        details=Details(firmware="1"),
        counters=tuple(
            Counter(name, value, "snmp")
            for name, value in ((CounterName.TOTAL, 14_228), (CounterName.DUPLEX, 5))
        ),
    )
    page = Brother({"Page Counter": "14228"})
    _, memory, site = await asked(page, known)
    _, _, later = await asked(page, known, memory, full=False)
    _, _, daily = await asked(page, known, memory)

    assert [len(each.requests) for each in (site, later, daily)] == [1, 0, 1]


@pytest.mark.parametrize(
    ("object_id", "door"),
    [
        (BROTHER, "Brother"),
        (LEXMARK, "Lexmark"),
        (CANON, "Canon"),
        ("1.3.6.1.4.1.367.1.1", None),
        ("1.3.6.1.4.1.11.2.3.9.1", None),
        (None, None),
    ],
)
def test_whose_pages_are_asked(object_id: str, door: str | None) -> None:
    assert web_counters.ews_vendor(reading(object_id)) == door


def test_canon_that_counts_by_snmp_is_left_alone() -> None:
    counters = (TOTAL, Counter(CounterName.PRINT_TOTAL, 7, "1602..."))
    assert web_counters.ews_vendor(reading(CANON, counters=counters)) is None


async def test_nobody_else_is_asked() -> None:
    _, _, site = await asked(Brother(), reading("1.3.6.1.4.1.367.1.1"))
    assert site.requests == []


async def test_old_lexmark() -> None:
    classic = LexmarkClassic()
    total = Counter(CounterName.TOTAL, 49_510 + 1_346 + 77, "snmp")
    found, memory, _ = await asked(classic, reading(LEXMARK, counters=(total,)))

    assert CounterName.PRINT_FULL_COLOR in {counter.name for counter in found.counters}
    assert memory.adds


async def test_new_lexmark_fills_vague_levels() -> None:
    supplies = (
        Supply(1, description="Black Toner", level=VagueAmount.SOME_LEFT, max_capacity=VagueAmount.UNKNOWN),
        Supply(2, description="Black Imaging Kit", level=VagueAmount.SOME_LEFT),
        Supply(3, description="black toner", level=12, max_capacity=50, unit=7),
    )
    found, memory, _ = await asked(LexmarkJson(), reading(LEXMARK, supplies=supplies))

    assert found.supplies[0] == replace(supplies[0], level=37, max_capacity=100, unit=19)
    assert found.supplies[1:] == supplies[1:]
    assert found.details.firmware == "MXTGM.073.023"
    assert found.counters == (TOTAL,)
    assert memory.adds


async def test_canon() -> None:
    found, _, _ = await asked(Canon(), reading(CANON))

    assert Counter(CounterName.SCAN, 8_002, "http /dcounter.cgi") in found.counters
    assert found.counters[0].dispute is not None  # 51,482 by SNMP, 67,911 by the page


# Failures


async def test_a_page_that_was_never_there_is_a_note() -> None:
    found, memory, _ = await asked(lambda _: NOT_FOUND, reading())

    assert found == replace(reading(), notes=("the printer's web pages show no counters",))
    assert not memory.adds


async def test_a_page_that_counted_and_fails_leaves_the_last_values() -> None:
    memory = EwsState(path="/etc/mnt_info.csv", adds=True)
    found, after, _ = await asked(lambda _: NOT_FOUND, reading(), memory)

    assert found.failures == (PartFailure("counters", "the printer's web pages show no counters"),)
    assert found.counters == (TOTAL,)
    assert after == memory  # so it is asked again


async def test_nobody_listens() -> None:
    async with Website(Brother(), ADDRESS, plain=False, tls=False) as site:
        found, memory = await add_ews_values(reading(), ports=ports(site))

    assert found.notes == ("no web page: the printer accepts no connection",)
    again, _ = await add_ews_values(reading(), memory, full=False, ports=EwsPorts(1, 1))
    assert again.notes == found.notes  # not asked again, and still so


async def test_a_fault_of_ours_spoils_nothing(caplog: pytest.LogCaptureFixture) -> None:
    target = Target("not an address \0")
    found, _ = await add_ews_values(reading(target=target))

    assert found.counters == (TOTAL,)
    assert len(found.notes) == 1


async def test_another_devices_page() -> None:
    found, memory, _ = await asked(
        Brother(), reading(identity=Identity(object_id=BROTHER, serial_number="X999"))
    )

    assert found.counters == (TOTAL,)
    assert found.notes == ("the web page is another device's",)
    assert not memory.adds


# Two counts


def test_merge() -> None:
    assert merge_counters((), {CounterName.FAX: 3}, CSV) == (Counter(CounterName.FAX, 3, CSV),)
    assert merge_counters((TOTAL,), {CounterName.TOTAL: 51_490}, CSV) == (TOTAL,)
    (disputed,) = merge_counters((TOTAL,), {CounterName.TOTAL: 61_482}, CSV)
    assert disputed == replace(
        TOTAL, dispute="51482 by prtMarkerLifeCount.1.1, but 61482 by http /etc/mnt_info.csv"
    )
    told = replace(TOTAL, dispute="told")
    assert merge_counters((told,), {CounterName.TOTAL: 1}, CSV) == (told,)


# Passwords


async def test_a_wrong_password_is_tried_once_until_it_changes() -> None:
    printer = Brother(login="new", serial="")
    memory = EMPTY_EWS_STATE
    for password in ("guess", "guess", "initpass", "guess", "guess2", "guess2"):
        found, memory, _ = await asked(printer, with_password(password), memory)
        assert (CounterName.COPY_TOTAL in {counter.name for counter in found.counters}) == (
            password == "initpass"
        )

    assert printer.logins == ["guess", "initpass", "guess2"]
    assert "guess" not in str(memory)


async def test_a_password_that_was_refused_is_remembered_while_the_page_is_open() -> None:
    printer = Brother(login="old")
    _, memory, _ = await asked(printer, with_password("guess"))
    printer.login = ""
    _, memory, _ = await asked(printer, with_password("guess"), memory)
    printer.login = "old"
    await asked(printer, with_password("guess"), memory)

    assert printer.logins == ["guess"]


async def test_another_printer_at_the_address_is_told_the_password_too() -> None:
    printer = Brother(login="old")
    _, memory, _ = await asked(printer, with_password("guess"))
    other = replace(
        with_password("guess"), identity=Identity(object_id=BROTHER, serial_number="E71833C4J372261")
    )
    await asked(printer, other, memory)

    assert printer.logins == ["guess", "guess"]
