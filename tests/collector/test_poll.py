"""Reading simulated printers over real sockets: faults cost what they must, never the whole printer."""

import socket
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from appliance.collector import poll_cache as plans
from appliance.collector.errors import PollError
from appliance.collector.poll import poll_printer
from appliance.collector.request_batcher import MAX_RESPONSE_BYTES
from appliance.domain.model import CounterName, Reading, Target
from appliance.ews.models import EwsPorts
from appliance.snmp.client import SnmpBudget
from appliance.snmp.transport import SnmpEndpoint
from tests.fakes import ber
from tests.fakes.agent import Agent, Device
from tests.fakes.ber import Oid
from tests.fakes.mib import Mib
from tests.fakes.models import MODELS
from tests.fakes.pages import Brother
from tests.fakes.website import Website

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
QUICK = (0.1, 0.15, 0.2)  # seconds of tries
ADDRESS = "127.0.6.1"
MIB = "1.3.6.1.2.1.43"
SUPPLIES = f"{MIB}.11.1.1"
ALERTS = f"{MIB}.18.1.1"
SERIAL_NUMBER = (1, 3, 6, 1, 2, 1, 43, 5, 1, 1, 17, 1)
RICOH = "ricoh_im_c3010"
BROTHER = "brother_mfc_l3780"


def add(agent: Agent, key: str = RICOH, **faults: object) -> Device:
    return agent.add(ADDRESS, Device(MODELS[key].rows(), **faults))  # type: ignore[arg-type]


def target(agent: Agent, version: str = "2", **more: object) -> Target:
    return Target(ADDRESS, port=agent.port, snmp_version=version, **more)  # type: ignore[arg-type]


def said(reading: Reading) -> Reading:
    """What the printer said, without what it cost."""
    cost = replace(reading.cost, packets=0, bytes=0, seconds=0)
    return replace(reading, target=Target(""), plan="", cost=cost, notes=())


@pytest.fixture
async def plain(agent: Agent, endpoint: SnmpEndpoint) -> Reading:
    """What the printer says when it has no faults."""
    agent.add("127.0.6.99", Device(MODELS[RICOH].rows()))
    return said(
        await poll_printer(endpoint, Target("127.0.6.99", port=agent.port, snmp_version="2"), "", NOW)
    )


async def test_a_reading_holds_everything(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent)

    reading = await poll_printer(endpoint, target(agent), "", NOW)

    assert (reading.identity.manufacturer, reading.identity.model) == ("Ricoh", "RICOH IM C3010")
    assert reading.details.display_text == "Bereit Papier nachfüllen: Magazin 3"
    assert reading.failures == ()
    for part in (reading.supplies, reading.alerts, reading.inputs, reading.outputs, reading.storages):
        assert part
    assert CounterName.DUPLEX in {counter.name for counter in reading.counters}
    assert reading.target == target(agent)
    assert reading.cost.packets == 2 * device.requests.total()
    assert reading.cost.bytes == device.bytes_in + device.bytes_out


@pytest.mark.parametrize(
    "faults",
    [
        {"versions": {"1"}},
        {"versions": {"1"}, "max_response": 484},
        {"max_response": 484},
        {"max_response": 1_472},
        {"bulk": "broken"},
        {"bulk": "one"},
        {"bulk": "ignored"},
        {"increasing": False},
        {"no_get": ["1.3.6.1"]},
        {"garbage": 1},
        {"request_id": "both"},
        {"one_at_a_time": True, "delay": 0.01},
        {"max_varbinds": 20},
        {"max_request": 600},
        {"max_response": 600, "oversize": "silent"},
        {"loss": 0.1},
        {"lose_first": 2},
        {"versions": {"1"}, "lose_first": 1},
    ],
    ids=str,
)
async def test_faults_change_nothing_of_what_is_read(
    agent: Agent, endpoint: SnmpEndpoint, plain: Reading, faults: dict[str, object]
) -> None:
    add(agent, **faults)

    first = await poll_printer(endpoint, target(agent, "auto"), "", NOW, tries=QUICK)
    second = await poll_printer(endpoint, target(agent, "auto"), first.plan, LATER, tries=QUICK)

    assert said(first) == plain
    assert said(second) == plain


@pytest.mark.parametrize("key", [key for key, model in MODELS.items() if model.is_printer])
@pytest.mark.parametrize("version", ["1", "2"])
async def test_authored_printers_stay_below_the_bars(
    agent: Agent, endpoint: SnmpEndpoint, key: str, version: str
) -> None:
    device = add(agent, key)

    first = await poll_printer(endpoint, target(agent, version), "", NOW)
    requests = device.requests.total()
    device.forget()
    second = await poll_printer(endpoint, target(agent, version), first.plan, LATER)

    assert said(first) == said(second)
    assert requests <= (16 if version == "2" else 40)
    assert device.requests.total() <= 4
    assert first.failures == ()


# Limits that are remembered


@pytest.mark.parametrize(
    "faults",
    [{"max_response": 484}, {"bulk": "broken"}, {"max_varbinds": 20}, {"versions": {"1"}}],
    ids=str,
)
async def test_what_a_printer_bears_is_remembered(
    agent: Agent, endpoint: SnmpEndpoint, faults: dict[str, object]
) -> None:
    device = add(agent, **faults)
    first = await poll_printer(endpoint, target(agent, "auto"), "", NOW, tries=QUICK)
    device.forget()
    if "max_response" in faults:
        assert plans.load(first.plan).limits.max_response_bytes < MAX_RESPONSE_BYTES

    await poll_printer(endpoint, target(agent, "auto"), first.plan, LATER, tries=QUICK)

    assert device.refused == 0
    assert device.requests.total() == device.responses <= 12


class Lying(Device):
    """Answers GETBULK with the objects that were asked."""

    def answers(self, data: bytes) -> list[bytes]:
        request = ber.decode(data)
        if request.pdu != ber.GET_BULK:
            return super().answers(data)
        self.requests["get_bulk"] += 1
        zero = ber.encode_value(ber.INTEGER, 0)
        return [
            ber.response(request, request.request_id, 0, 0, [ber.varbind(oid, zero) for oid in request.oids])
        ]


async def test_a_bulk_that_lies(agent: Agent, endpoint: SnmpEndpoint, plain: Reading) -> None:
    device = agent.add(ADDRESS, Lying(MODELS[RICOH].rows()))

    reading = await poll_printer(endpoint, target(agent), "", NOW)

    assert said(reading) == plain
    assert device.requests["get_bulk"] == 1


async def test_a_bulk_that_gives_one_row_is_not_used_twice(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent, bulk="one")

    await poll_printer(endpoint, target(agent), "", NOW)

    assert device.requests["get_bulk"] == 1


class Shy(Mib):
    """Leaves the serial number out of the order: GETNEXT goes past it."""

    def after(self, oid: Oid) -> Oid | None:
        following = super().after(oid)
        return super().after(following) if following == SERIAL_NUMBER else following


async def test_objects_that_only_get_finds(agent: Agent, endpoint: SnmpEndpoint, plain: Reading) -> None:
    device = agent.add(ADDRESS, Device(Shy(MODELS["hp_laserjet_m404"].rows())))

    first = await poll_printer(endpoint, target(agent), "", NOW)
    device.forget()
    second = await poll_printer(endpoint, target(agent), first.plan, LATER)

    assert first.identity.serial_number == MODELS["hp_laserjet_m404"].who().serial
    assert said(second) == said(first)
    assert device.requests.total() <= 3


async def test_tables_that_a_device_does_not_have_cost_nothing(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent, "zebra_zt411")

    for version in ("1", "2"):
        device.forget()
        await poll_printer(endpoint, target(agent, version), "", NOW)
        assert device.requests.total() <= 4
        assert device.largest_response <= 1_472


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("key", ["xerox_altalink_c8245", "brother_hl_l2375"])
async def test_a_row_without_its_first_column_is_found(
    agent: Agent, endpoint: SnmpEndpoint, version: str, key: str
) -> None:
    device = add(agent, key)
    expected = [supply.index for supply in (await poll_printer(endpoint, target(agent), "", NOW)).supplies]
    del device.mib[f"{SUPPLIES}.3.1.{expected[1]}"]

    reading = await poll_printer(endpoint, target(agent, version), "", NOW)

    assert [supply.index for supply in reading.supplies] == expected
    assert reading.supplies[1].level is not None


# What fails


async def test_silence_has_a_name(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent, asleep=True)

    with pytest.raises(PollError, match=r"^silent$"):
        await poll_printer(endpoint, target(agent), "", NOW, tries=QUICK)

    assert device.requests.total() == 3


async def test_silence_costs_no_more_than_the_tries(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent)
    plan = (await poll_printer(endpoint, target(agent), "", NOW)).plan
    device.asleep = True

    for version in ("2", "auto"):
        started = time.monotonic()
        with pytest.raises(PollError, match=r"^silent$"):
            await poll_printer(endpoint, target(agent, version), plan, LATER, tries=QUICK)
        assert time.monotonic() - started < 0.8


async def test_another_community(agent: Agent, endpoint: SnmpEndpoint) -> None:
    add(agent, community="secret")

    with pytest.raises(PollError, match=r"^silent$"):
        await poll_printer(endpoint, target(agent), "", NOW, tries=QUICK)

    assert (await poll_printer(endpoint, target(agent, community_read="secret"), "", NOW)).supplies


async def test_nobody_there(agent: Agent, endpoint: SnmpEndpoint) -> None:
    with pytest.raises(PollError, match="closed"):
        await poll_printer(endpoint, target(agent), "", NOW, tries=QUICK)


async def test_rubbish(agent: Agent, endpoint: SnmpEndpoint) -> None:
    add(agent, truncate=True)

    with pytest.raises(PollError, match="not with what was asked"):
        await poll_printer(endpoint, target(agent), "", NOW, tries=QUICK)


@pytest.mark.parametrize(
    ("part", "table"),
    {
        "alerts": ALERTS,
        "supplies": SUPPLIES,
        "inputs": f"{MIB}.8.2.1",
        "storages": "1.3.6.1.2.1.25.2.3.1",
    }.items(),
)
async def test_an_endless_table_is_a_failure_of_its_part(
    agent: Agent, endpoint: SnmpEndpoint, plain: Reading, part: str, table: str
) -> None:
    device = add(agent, endless=table)
    for version in ("1", "2"):
        first = await poll_printer(endpoint, target(agent, version), "", NOW)
        device.forget()
        second = await poll_printer(endpoint, target(agent, version), first.plan, LATER)

        for reading in (first, second):
            assert [(one.part, one.reason) for one in reading.failures] == [(part, "more than 200 rows")]
            assert getattr(reading, part) == ()
            assert said(replace(reading, failures=(), **{part: getattr(plain, part)})) == plain
        assert device.requests.total() <= 4  # nobody runs into the same table every hour


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_table_whose_agent_repeats_a_row_is_told_to_be_doubtful(
    agent: Agent, endpoint: SnmpEndpoint, plain: Reading, version: str
) -> None:
    device = add(agent, stuck=[f"{SUPPLIES}.{column}.1.2" for column in range(1, 10)])

    first = await poll_printer(endpoint, target(agent, version), "", NOW)
    again = await poll_printer(endpoint, target(agent, version), first.plan, LATER)

    for reading in (first, again):
        assert len(reading.supplies) < len(plain.supplies)
        assert reading.notes == (
            "supplies may not be complete: the printer goes back behind row 1.2 of a table",
        )
        assert replace(said(reading), supplies=plain.supplies) == plain
    assert device.requests.total() < 40


async def test_an_agent_that_begins_a_column_anew_at_its_end_is_no_doubt(
    agent: Agent, endpoint: SnmpEndpoint, plain: Reading
) -> None:
    add(agent, increasing=False)

    reading = await poll_printer(endpoint, target(agent), "", NOW)

    assert not [note for note in reading.notes if note.startswith("supplies")]


async def test_an_endless_printer_ends(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent, endless="1.3.6.1.2.1.43")

    reading = await poll_printer(endpoint, target(agent), "", NOW)

    assert {failure.part for failure in reading.failures} >= {"supplies", "inputs", "alerts", "counters"}
    assert reading.storages
    assert device.requests.total() < 60


@pytest.mark.parametrize("version", ["1", "2"])
async def test_an_object_that_cannot_be_read_costs_only_itself(
    agent: Agent, endpoint: SnmpEndpoint, plain: Reading, version: str
) -> None:
    add(agent, gen_err=[f"{SUPPLIES}.6.1.2"])

    reading = await poll_printer(endpoint, target(agent, version), "", NOW)

    assert [supply.description for supply in reading.supplies] == [
        None if supply.index == 2 else supply.description for supply in plain.supplies
    ]
    assert replace(said(reading), supplies=plain.supplies) == plain


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_row_that_cannot_be_read_hides_no_other(
    agent: Agent, endpoint: SnmpEndpoint, plain: Reading, version: str
) -> None:
    add(agent, gen_err=[f"{SUPPLIES}.{column}.1.2" for column in range(2, 10)])

    reading = await poll_printer(endpoint, target(agent, version), "", NOW)

    assert reading.supplies == tuple(supply for supply in plain.supplies if supply.index != 2)
    assert replace(said(reading), supplies=plain.supplies) == plain


async def test_a_table_that_cannot_be_read_costs_only_itself(
    agent: Agent, endpoint: SnmpEndpoint, plain: Reading
) -> None:
    device = add(agent, gen_err=[SUPPLIES])

    reading = await poll_printer(endpoint, target(agent), "", NOW)

    assert [failure.part for failure in reading.failures] == ["supplies"]
    assert replace(said(reading), supplies=plain.supplies, failures=()) == plain
    assert device.requests.total() < 40


async def test_a_printer_that_takes_too_long(agent: Agent, endpoint: SnmpEndpoint) -> None:
    add(agent, delay=0.1)

    started = time.monotonic()
    with pytest.raises(PollError, match=r"took longer than 0\.3 s"):
        await poll_printer(endpoint, target(agent), "", NOW, budget=SnmpBudget(seconds=0.3))
    assert time.monotonic() - started < 0.5


async def test_too_many_packets(agent: Agent, endpoint: SnmpEndpoint) -> None:
    add(agent)

    with pytest.raises(PollError, match="took more than 6 packets"):
        await poll_printer(endpoint, target(agent), "", NOW, budget=SnmpBudget(packets=6))


class Mute(Device):
    """Answers every request well, with no object at all."""

    def answers(self, data: bytes) -> list[bytes]:
        request = ber.decode(data)
        self.requests["any"] += 1
        return [ber.response(request, request.request_id, 0, 0, [])]


async def test_a_device_that_says_nothing(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = agent.add(ADDRESS, Mute({}))

    with pytest.raises(PollError, match="says nothing"):
        await poll_printer(endpoint, target(agent), "", NOW)
    assert device.requests.total() < 200


class Fading(Device):
    """Answers twice, then never again."""

    def answers(self, data: bytes) -> list[bytes]:
        self.asleep = self.responses >= 2
        return super().answers(data)


async def test_a_printer_that_stops_answering(agent: Agent, endpoint: SnmpEndpoint) -> None:
    agent.add(ADDRESS, Fading(MODELS[RICOH].rows()))

    with pytest.raises(PollError, match="stopped answering"):
        await poll_printer(endpoint, target(agent), "", NOW, tries=QUICK)


async def test_who_stops_late_leaves_what_was_read(
    agent: Agent, endpoint: SnmpEndpoint, plain: Reading
) -> None:
    add(agent)

    reading = await poll_printer(endpoint, target(agent), "", NOW, budget=SnmpBudget(packets=11))

    assert {failure.reason for failure in reading.failures} == {"took more than 11 packets"}
    assert reading.identity == plain.identity
    assert reading.details == plain.details
    assert said(await poll_printer(endpoint, target(agent), reading.plan, LATER)) == plain
    for failure in reading.failures:
        assert not getattr(reading, failure.part)


def unknown_maker() -> dict[str, tuple[int, object]]:
    """A printer by the standard's words alone."""
    rows = {oid: cell for oid, cell in MODELS[RICOH].rows().items() if not oid.startswith("1.3.6.1.4.1.")}
    rows["1.3.6.1.2.1.1.1.0"] = (4, "Frobnicator 3000")
    rows["1.3.6.1.2.1.1.2.0"] = (6, "1.3.6.1.4.1.99999.1")
    for oid in rows:
        if oid.startswith("1.3.6.1.2.1.25.3.2.1.3."):
            rows[oid] = (4, "Frobnicator 3000")
    return rows


async def test_of_an_unknown_makers_printer_too_what_was_read_is_left(
    agent: Agent, endpoint: SnmpEndpoint
) -> None:
    device = agent.add(ADDRESS, Device(unknown_maker(), max_varbinds=6))
    whole = await poll_printer(endpoint, target(agent), "", NOW)
    assert (whole.identity.manufacturer, whole.failures) == (None, ())

    reading = await poll_printer(
        endpoint, target(agent), "", NOW, budget=SnmpBudget(packets=whole.cost.packets * 3 // 4)
    )

    assert reading.failures
    assert reading.identity == whole.identity
    assert device.requests.total() > 10


# The next query


async def first_plan(agent: Agent, endpoint: SnmpEndpoint, device: Device) -> str:
    plan = (await poll_printer(endpoint, target(agent), "", NOW)).plan
    device.forget()
    return plan


async def test_moving_values_are_asked_again(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent, "hp_color_mfp_m480")
    plan = await first_plan(agent, endpoint, device)
    device.mib[f"{SUPPLIES}.9.1.1"] = (2, 3)
    device.mib[f"{MIB}.10.2.1.4.1.1"] = (65, 99_999)
    device.mib[f"{MIB}.16.5.1.2.1.1"] = (4, "Jam")
    device.mib["1.3.6.1.2.1.25.3.5.1.1.1"] = (2, 1)
    device.mib["1.3.6.1.2.1.25.3.5.1.2.1"] = (4, b"\x04\x00")
    device.mib["1.3.6.1.2.1.25.3.2.1.5.1"] = (2, 5)

    reading = await poll_printer(endpoint, target(agent), plan, LATER)

    assert reading.supplies[0].level == 3
    assert reading.counters[0].value == 99_999
    assert (reading.details.display_text, reading.details.status, reading.details.device_status) == (
        "Jam",
        1,
        5,
    )
    assert reading.details.errors == ("jammed",)
    assert device.requests.total() <= 2


async def test_private_counters_are_asked_again(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent)
    plan = await first_plan(agent, endpoint, device)
    before = await poll_printer(endpoint, target(agent), plan, LATER)
    for oid, (tag, value) in list(device.mib.items()):
        if ".19.5.1.9." in oid:
            device.mib[oid] = (tag, value + 7)

    after = await poll_printer(endpoint, target(agent), plan, LATER)

    assert [counter.value - 7 for counter in after.counters] == [counter.value for counter in before.counters]


async def test_alerts_that_come_and_go(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent, "hp_color_mfp_m480")
    plan = await first_plan(agent, endpoint, device)
    device.mib.remove(ALERTS)
    for index, text in ((1835, b"Papierstau"), (1840, b"Klappe offen")):
        for column, cell in {2: (2, 3), 4: (2, 8), 7: (2, 8), 8: (4, text), 9: (67, 77)}.items():
            device.mib[f"{ALERTS}.{column}.1.{index}"] = cell

    reading = await poll_printer(endpoint, target(agent), plan, LATER)

    assert [(alert.index, alert.description, alert.training_level) for alert in reading.alerts] == [
        (1835, "Papierstau", None),
        (1840, "Klappe offen", None),
    ]
    assert device.requests.total() <= 5

    device.forget()
    device.mib.remove(ALERTS)
    gone = await poll_printer(endpoint, target(agent), reading.plan, LATER)
    back = await poll_printer(endpoint, target(agent), gone.plan, LATER)

    assert (gone.alerts, back.alerts) == ((), ())
    assert said(gone) == said(back)


async def test_another_alert_under_the_same_number(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent, "kyocera_ecosys_ma2100")
    row = f"{ALERTS}.{{}}.1.9"
    for column, cell in {
        2: (2, 3),
        3: (2, 3),
        4: (2, 8),
        5: (2, 1),
        6: (2, 5),
        7: (2, 8),
        8: (4, b"A"),
    }.items():
        device.mib[row.format(column)] = cell
    plan = await first_plan(agent, endpoint, device)
    for column, cell in {4: (2, 11), 5: (2, 4), 8: (4, b"B")}.items():
        device.mib[row.format(column)] = cell

    reading = await poll_printer(endpoint, target(agent), plan, LATER)

    (alert,) = (alert for alert in reading.alerts if alert.index == 9)
    assert (alert.description, alert.group, alert.group_index) == ("B", 11, 4)


async def test_a_new_supply_is_noticed(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent, "hp_laserjet_m404")
    plan = await first_plan(agent, endpoint, device)
    for column, cell in {3: (2, 0), 4: (2, 3), 5: (2, 15), 6: (4, b"Fuser"), 8: (2, 100), 9: (2, 64)}.items():
        device.mib[f"{SUPPLIES}.{column}.1.9"] = cell

    supplies = (await poll_printer(endpoint, target(agent), plan, LATER)).supplies

    assert (supplies[-1].index, supplies[-1].description, supplies[-1].level) == (9, "Fuser", 64)


async def test_a_tray_that_was_taken_out_is_gone(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent)
    plan = await first_plan(agent, endpoint, device)
    for column in range(2, 26):
        device.mib.pop(f"{MIB}.8.2.1.{column}.1.2", None)

    inputs = (await poll_printer(endpoint, target(agent), plan, LATER)).inputs

    assert 2 not in {tray.index for tray in inputs}
    assert len(inputs) >= 2


@pytest.mark.parametrize(
    ("oid", "cell"),
    [
        ("1.3.6.1.2.1.1.3.0", (67, 5)),  # restarted
        (f"{MIB}.5.1.1.1.1", (65, 12_345)),  # configured
    ],
)
async def test_after_a_change_everything_is_read(
    agent: Agent, endpoint: SnmpEndpoint, oid: str, cell: tuple[int, int]
) -> None:
    device = add(agent)
    plan = await first_plan(agent, endpoint, device)
    device.mib["1.3.6.1.2.1.1.6.0"] = (4, "Basement")
    unchanged = await poll_printer(endpoint, target(agent), plan, LATER)
    device.mib[oid] = cell

    changed = await poll_printer(endpoint, target(agent), plan, LATER)

    assert unchanged.details.location != "Basement"  # it is not asked every hour
    assert changed.details.location == "Basement"


async def test_everything_is_read_daily_or_on_demand(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent)
    plan = await first_plan(agent, endpoint, device)
    device.mib["1.3.6.1.2.1.1.6.0"] = (4, "Basement")

    demanded = await poll_printer(endpoint, target(agent), plan, LATER, full=True)
    daily = await poll_printer(endpoint, target(agent), plan, NOW + timedelta(hours=24))

    assert demanded.details.location == daily.details.location == "Basement"


async def test_another_printer_at_the_same_address_is_never_mistaken(
    agent: Agent, endpoint: SnmpEndpoint
) -> None:
    """Two of the same model: the address has changed hands, nothing else tells."""
    plan = await first_plan(agent, endpoint, add(agent, "hp_laserjet_m404"))
    other = MODELS["hp_laserjet_m404"].rows(copy=1)
    other["1.3.6.1.2.1.1.3.0"] = (67, 2**32 - 5)
    agent.remove(ADDRESS)
    agent.add(ADDRESS, Device(other))

    reading = await poll_printer(endpoint, target(agent), plan, LATER)

    who = MODELS["hp_laserjet_m404"].who(1)
    assert (reading.identity.serial_number, reading.details.name) == (who.serial, who.name)
    assert reading.identity.mac_address == who.mac.hex().upper()


async def test_a_printer_that_has_lost_its_version(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent)
    plan = await first_plan(agent, endpoint, device)
    device.versions = {"1"}

    reading = await poll_printer(endpoint, target(agent, "auto"), plan, LATER, tries=QUICK)

    assert reading.target.snmp_version == "1"
    assert reading.supplies


async def test_a_damaged_plan_is_a_first_reading(
    agent: Agent, endpoint: SnmpEndpoint, plain: Reading
) -> None:
    add(agent)

    assert said(await poll_printer(endpoint, target(agent), '{"form":1,"rows":', LATER)) == plain


async def test_requests_never_overlap(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent, delay=0.005)

    await poll_printer(endpoint, target(agent), "", NOW)

    assert device.most_at_once == 1


# Web pages


async def test_a_page_joins_the_reading_and_its_plan(agent: Agent, endpoint: SnmpEndpoint) -> None:
    device = add(agent, BROTHER)
    device.objects().remove("1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5")  # its private counters
    page = Brother({"Page Counter": "9", "Fax": "7"}, login="old", serial="")
    asked = target(agent, http_password="guess")
    async with Website(page, ADDRESS) as site:
        ports = EwsPorts(site.http, site.https)
        refused = await poll_printer(endpoint, asked, "", NOW, ports=ports)
        again = await poll_printer(endpoint, asked, refused.plan, LATER, full=True, ports=ports)
        asked = replace(asked, http_password="initpass")
        read = await poll_printer(endpoint, asked, again.plan, LATER, full=True, ports=ports)
        page.login = ""
        site.requests.clear()
        hourly = await poll_printer(endpoint, asked, read.plan, LATER, ports=ports)

    assert page.logins == ["guess", "initpass"]
    assert "does not take the password" in again.notes[0]
    for reading in (read, hourly):
        fax = next(counter for counter in reading.counters if counter.name == CounterName.FAX)
        assert (fax.value, fax.source) == (7, "http /etc/mnt_info.csv")
    assert len(site.requests) == 1
    assert device.most_at_once == 1


async def test_no_page_is_asked_of_a_printer_that_stopped_answering(
    agent: Agent, endpoint: SnmpEndpoint
) -> None:
    add(agent, BROTHER)
    async with Website(Brother(), ADDRESS) as site:
        reading = await poll_printer(
            endpoint,
            target(agent),
            "",
            NOW,
            budget=SnmpBudget(packets=11),
            ports=EwsPorts(site.http, site.https),
        )

    assert reading.failures
    assert site.requests == []


async def test_no_test_reaches_a_web_server_of_this_computer(agent: Agent, endpoint: SnmpEndpoint) -> None:
    add(agent, BROTHER)
    with ExitStack() as stack:
        try:
            servers = [
                stack.enter_context(socket.create_server((ADDRESS, port), backlog=5)) for port in (80, 443)
            ]
        except OSError as error:
            pytest.skip(f"ports 80 and 443 of {ADDRESS} cannot be had: {error.strerror}")

        await poll_printer(endpoint, target(agent), "", NOW)

        for server in servers:
            server.setblocking(False)
            with pytest.raises(BlockingIOError):
                server.accept()
