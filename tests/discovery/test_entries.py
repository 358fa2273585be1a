"""From entries to targets, each once, without those that are excluded."""

import asyncio
import tracemalloc
from itertools import islice

import pytest

from appliance.discovery import entries
from appliance.discovery.address_ranges import InvalidEntryError
from appliance.discovery.entries import (
    Coverage,
    Exclusions,
    NameNotResolvedError,
    expand,
    expand_all,
)
from appliance.domain.model import DiscoveryEntry, Identity, Target

NOTHING = Exclusions()


def hosts(text: str, *excluded: str) -> list[str]:
    return [target.host for target in expand(DiscoveryEntry(text), Exclusions(excluded))]


def test_a_target_has_all_that_its_entry_says() -> None:
    entry = DiscoveryEntry(
        "10.0.0.7",
        snmp_version="1",
        community_read="read",
        community_write="write",
        port=1161,
        address_by="name",
        http_username="user",
        http_password="word",
    )
    assert list(expand(entry, NOTHING)) == [
        Target("10.0.0.7", None, 1161, "1", "read", "write", "name", "user", "word")
    ]


def test_a_name_is_host_and_name_until_it_is_resolved() -> None:
    assert list(expand(DiscoveryEntry("printer1.example.com"), NOTHING)) == [
        Target("printer1.example.com", name="printer1.example.com")
    ]


def test_several_ranges_come_in_the_order_in_which_they_stand() -> None:
    assert hosts("10.0.1.1-3, 10.0.0.9, printer1") == [
        "10.0.1.1",
        "10.0.1.2",
        "10.0.1.3",
        "10.0.0.9",
        "printer1",
    ]


def test_a_range_passes_the_borders_of_networks() -> None:
    assert hosts("10.0.0.254-10.0.1.1") == ["10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"]


def test_an_address_in_two_entries_is_asked_once_as_the_first_says() -> None:
    both = [
        DiscoveryEntry("10.0.0.2", snmp_version="1"),
        DiscoveryEntry("10.0.0.1-10.0.0.3", snmp_version="2"),
        DiscoveryEntry("10.0.0.3, 10.0.0.3"),
    ]
    found = [(target.host, target.snmp_version) for target in expand_all(both, NOTHING)]
    assert found == [("10.0.0.2", "1"), ("10.0.0.1", "2"), ("10.0.0.3", "2")]


def test_another_community_or_port_is_another_question() -> None:
    several = [
        DiscoveryEntry("10.0.0.1"),
        DiscoveryEntry("10.0.0.1", community_read="secret"),
        DiscoveryEntry("10.0.0.1", port=1161),
        DiscoveryEntry("printer1"),
        DiscoveryEntry("PRINTER1"),
        DiscoveryEntry("printer1", port=1161),
    ]
    assert len(list(expand_all(several, NOTHING))) == entries.count_all_targets(several, NOTHING) == 5
    assert [target.host for target in entries.iter_name_targets(several, NOTHING)] == ["printer1", "printer1"]


def test_addresses_are_counted_without_being_listed() -> None:
    assert entries.count_targets(DiscoveryEntry("10.0.0.0/8, 10.0.0.1, printer1")) == 2**24 - 2 + 2
    most = 2**64
    assert (
        entries.count_all_targets(
            [DiscoveryEntry("fd00::/65, fd00::1-fd00::f")], Exclusions(["fd00::2"]), limit=most
        )
        == 2**63 - 2
    )


def test_a_range_typed_by_mistake_is_refused_with_the_way_out() -> None:
    line = (
        '"10.0.0.0/8" is 16,777,214 addresses, more than the 65,536 that one run may poll: narrow it, '
        "or raise discovery.max_addresses"
    )
    assert entries.entry_problem(DiscoveryEntry("10.0.0.0/8")) == line
    with pytest.raises(InvalidEntryError) as caught:
        next(expand(DiscoveryEntry("10.0.0.0/8"), NOTHING))
    assert str(caught.value) == line
    assert next(expand(DiscoveryEntry("10.0.0.0/8"), NOTHING, limit=2**24)).host == "10.0.0.1"


def test_a_whole_class_b_network_is_allowed() -> None:
    assert entries.entry_problem(DiscoveryEntry("172.16.0.0/16")) is None


def test_entries_are_limited_together() -> None:
    two = [DiscoveryEntry("10.0.0.0/17"), DiscoveryEntry("10.1.0.0/16")]
    assert "all entries together are 98,300 addresses" in (entries.total_problem(two) or "")
    with pytest.raises(InvalidEntryError, match=r"raise discovery\.max_addresses"):
        list(expand_all(two, NOTHING))


def test_a_large_range_is_never_all_in_memory() -> None:
    tracemalloc.start()
    try:
        for _ in islice(expand(DiscoveryEntry("10.0.0.0/8"), Exclusions(["10.0.0.9"]), limit=2**24), 50_000):
            pass
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


def test_addresses_are_excluded_by_address_range_and_network() -> None:
    left = hosts(
        "10.0.0.1-16", "10.0.0.3", "10.0.0.5-7", "10.0.0.8/29", "10.0.0.1, 10.0.0.16", "192.168.0.0/16"
    )
    assert left == ["10.0.0.2", "10.0.0.4", "10.0.0.8", "10.0.0.15"]


def test_names_are_excluded_whatever_their_case_with_and_without_domain() -> None:
    by_short, by_long = Exclusions(["Printer1"]), Exclusions(["printer1.Example.com"])
    for exclusions in (by_short, by_long):
        assert exclusions.excludes_name("PRINTER1")
        assert exclusions.excludes_name("printer1.example.com.")
        assert not exclusions.excludes_name("printer12")
        assert not exclusions.excludes_name("")
    assert by_short.excludes_name("printer1.example.org")
    assert not by_long.excludes_name("printer1.example.org")
    assert hosts("printer1, printer2", "PRINTER1.example.com") == ["printer2"]


def test_an_address_has_no_domain() -> None:
    assert not Exclusions(["192"]).excludes(Target("192.168.1.1"))


@pytest.mark.parametrize(
    "text",
    [
        "00:00:74:ed:64:38",
        "00-00-74-ED-64-38",
        "0000.74ed.6438",
        "000074ED6438",
        "000074-ed6438",
        "0:0:74:ed:64:38",
    ],
)
def test_a_mac_address_is_excluded_in_any_notation(text: str) -> None:
    exclusions = Exclusions([text])
    assert exclusions.excludes_identity(Identity(mac_address="000074ED6438"))
    assert not exclusions.excludes_identity(Identity(mac_address="000074ED6439"))
    assert not exclusions.excludes_identity(Identity())


@pytest.mark.parametrize("text", ["V1.399605417", "v1.399605417", " V1.399605417 ", "V1.399 605417"])
def test_a_serial_number_is_excluded_whatever_its_case(text: str) -> None:
    exclusions = Exclusions([text])
    assert exclusions.excludes_identity(Identity(serial_number="V1.399605417"))
    assert not exclusions.excludes_identity(Identity(serial_number="V1.39960541"))


def test_twelve_digits_may_be_a_serial_number_too() -> None:
    assert Exclusions(["123456789012"]).excludes_identity(Identity(serial_number="123456789012"))


def test_an_address_is_not_taken_for_a_mac_address() -> None:
    exclusions = Exclusions(["192.168.100.200"])
    assert exclusions.excludes_address("192.168.100.200")
    assert not exclusions.excludes_identity(Identity(mac_address="192168100200"))


def test_a_printer_is_excluded_by_where_or_who_it_is() -> None:
    exclusions = Exclusions(["10.0.0.1", "printer2", "CNB123"])
    assert exclusions.excludes_printer(Target("10.0.0.1"), Identity())
    assert exclusions.excludes_printer(Target("10.0.0.2", name="printer2"), Identity())
    assert exclusions.excludes_printer(Target("10.0.0.3"), Identity(serial_number="cnb123"))
    assert exclusions.excludes_printer(Target("10.0.0.3"), Identity(), sys_name="PRINTER2")
    assert not exclusions.excludes_printer(Target("10.0.0.3"), Identity(), sys_name="printer3")


@pytest.mark.parametrize("text", ["", " ", "10.0.0.300", "10.0.0.9-1", "10.0.0.0/33", "10.0.0.1-x"])
def test_an_exclusion_that_was_mistyped_is_refused(text: str) -> None:
    assert entries.exclusion_problem(text)


def test_the_entry_that_covers_a_printer_is_found() -> None:
    several = [DiscoveryEntry("10.0.0.0/24"), DiscoveryEntry("10.0.0.0/16"), DiscoveryEntry("printer1")]
    assert entries.find_entry(several, "10.0.0.9") is several[0]
    assert entries.find_entry(several, "10.0.9.9") is several[1]
    assert entries.find_entry(several, "192.168.0.1", "Printer1") is several[2]
    assert entries.find_entry(several, "192.168.0.1") is None
    assert entries.find_entry(several, "::1") is None


def test_coverage_says_the_same_for_many_questions() -> None:
    coverage = Coverage([DiscoveryEntry("10.0.0.0/24"), DiscoveryEntry("printer1")])
    assert Target("10.0.0.9") in coverage
    assert Target("192.168.0.1", name="Printer1") in coverage
    assert Target("192.168.0.1") not in coverage


async def test_a_name_is_resolved_and_kept() -> None:
    assert await entries.resolve_target(Target("localhost", name="localhost")) == Target(
        "127.0.0.1", name="localhost"
    )


async def test_the_present_address_of_a_known_name_counts() -> None:
    assert (await entries.resolve_target(Target("10.9.9.9", name="localhost"))).host == "127.0.0.1"


async def test_an_address_is_not_looked_up() -> None:
    target = Target("10.9.9.9")
    assert await entries.resolve_target(target) is target


async def test_a_name_that_leads_nowhere_is_one_clear_line() -> None:
    name = "x" * 64  # which no name server is asked about
    with pytest.raises(NameNotResolvedError, match=f"the name {name} has no address"):
        await entries.resolve_target(Target(name, name=name))


async def test_many_names_are_resolved_at_once() -> None:
    found = await asyncio.gather(
        *(entries.resolve_target(Target("localhost", port=number)) for number in range(1, 60))
    )
    assert {target.host for target in found} == {"127.0.0.1"}
