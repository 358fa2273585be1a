"""The manual's import list: as printed, as spreadsheets save it, and as nobody should."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.discovery import csv_entries
from appliance.discovery.csv_entries import ImportRow
from appliance.discovery.csv_reader import MAX_FILE_BYTES, InvalidListError
from appliance.discovery.entries import Exclusions
from appliance.domain.model import DiscoveryEntry, Target

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANUAL = """\
192. 168. 1. 15; publ i c; pri vate
192. 168. 1. 20; SnmpRead; SnmpWri te
Pri nter1; publ i c; pri vate
Pri nter2; SnmpRead; SnmpWri te
"""
MEANT = [
    ("192.168.1.15", "public", "private"),
    ("192.168.1.20", "SnmpRead", "SnmpWrite"),
    ("Printer1", "public", "private"),
    ("Printer2", "SnmpRead", "SnmpWrite"),
]


@dataclass(frozen=True)
class Seen:
    id: int
    target: Target
    seen_at: datetime


def rows(text: str | bytes) -> list[tuple[str, str, str]]:
    found = csv_entries.parse_list(text if isinstance(text, bytes) else text.encode())
    assert found.problems == ()
    return [(row.host, row.community_read, row.community_write) for row in found.rows]


def hosts(text: str) -> list[str]:
    return [host for host, _, _ in rows(text)]


def problem(line: str) -> str:
    found = csv_entries.parse_list(f"10.9.9.9\n{line}\n10.9.9.8".encode())
    assert [row.host for row in found.rows] == ["10.9.9.9", "10.9.9.8"]  # the rest still works
    (only,) = found.problems
    assert only.line == 2
    assert only.text.isprintable()
    assert len(only.text) < 250
    return only.text


# As the manual has it


def test_the_manuals_examples_as_printed() -> None:
    assert rows(MANUAL) == MEANT


def test_the_manuals_examples_as_meant() -> None:
    assert rows("\n".join(";".join(row) for row in MEANT)) == MEANT


def test_without_communities_the_standard_ones_hold() -> None:
    assert rows("192.168.1.15\nPrinter1;\nPrinter2;;\nPrinter3;mine\nPrinter4;;his") == [
        ("192.168.1.15", "public", "private"),
        ("Printer1", "public", "private"),
        ("Printer2", "public", "private"),
        ("Printer3", "mine", "private"),
        ("Printer4", "public", "his"),
    ]


# As programs save it


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("separator", [";", ",", "\t", " ; "])
def test_every_way_to_save_it(end: str, encoding: str, separator: str) -> None:
    lines = [separator.join(row) for row in [*MEANT, ("10.0.0.1", "geheim-ü", "x")]]
    assert rows(end.join(lines).encode(encoding)) == [*MEANT, ("10.0.0.1", "geheim-ü", "x")]


def test_big_endian_with_its_mark() -> None:
    assert rows(b"\xfe\xff" + "10.0.0.1;a;b".encode("utf-16-be")) == [("10.0.0.1", "a", "b")]


@pytest.mark.parametrize(
    "header",
    [
        "IP / Hostname; Communityname read; Communityname write",
        "ip;read;write",
        '"IP / Hostname","Communityname read","Communityname write"',
        "Hostname",
        "IP-Adresse;Community lesen;Community schreiben",
        "Printer;Community;Community",
        "Drucker;Read;Write",
        "Gerät;Communityname read",
        "sep=;\nIP;a;b",
        "\n\n# printers of the site\n\nHost",
    ],
)
def test_a_header_is_no_printer(header: str) -> None:
    assert hosts(f"{header}\n10.0.0.1\n") == ["10.0.0.1"]


@pytest.mark.parametrize(
    "first",
    [
        "Printer1;public",
        "Printer1;read;write",
        "printer;read;secret",
        "printer;public",
        "drucker",
        "10.0.0.2;x",
    ],
)
def test_a_first_printer_is_no_header(first: str) -> None:
    assert len(hosts(f"{first}\n10.0.0.1")) == 2


def test_only_the_first_line_is_a_header() -> None:
    assert hosts("10.0.0.1\nhost\nip") == ["10.0.0.1", "host", "ip"]


def test_blank_lines_comments_and_empty_columns_say_nothing() -> None:
    text = '\n  \n;;;\n,,\n""\n# 10.0.0.1\n  // 10.0.0.2\n10.0.0.3;;;;;;\n\t\n'
    assert hosts(text) == ["10.0.0.3"]


def test_quotes_and_what_they_keep() -> None:
    text = '"10.0.0.1";"a;b";"c ""d"""\n " 10.0.0.2 " , "publ i c" , x y \n10.0.0.3;my community;a,b'
    assert rows(text) == [
        ("10.0.0.1", "a;b", 'c "d"'),
        ("10.0.0.2", "publ i c", "x y"),
        ("10.0.0.3", "my community", "a,b"),
    ]


def test_further_columns_are_not_looked_at() -> None:
    assert rows("10.0.0.1;a;b;Office 3;=HYPERLINK(1)") == [("10.0.0.1", "a", "b")]


def test_ipv6_and_names_with_their_domain() -> None:
    assert hosts("2001:db8::15;a\nprinter1.domain.example.\nbüro-1") == [
        "2001:db8::15",
        "printer1.domain.example",
        "büro-1",
    ]


def test_the_same_line_twice_is_one_entry() -> None:
    assert hosts("10.0.0.1\n10.0.0.1;public\nprinter1\nPRINTER1") == ["10.0.0.1", "printer1"]


# What is no line of a list


@pytest.mark.parametrize(
    "line",
    [
        "10.0.0.256",
        "10.0.0",
        "192.168.1.1-192.168.1.254",
        "192.168.1.1-20;public",
        "192.168.1.0/24;public",
        "no_such_thing!;public",
        ";public;private",
        "=HYPERLINK(1);a",
        "@SUM(A1);a",
        "10.0.0.1\x00;a",
        "10.0.0.1;a\x1b[2J;b",
        "10.0.0.1;a\u202eb",
        "10.0.0.1;" + "c" * 256,
        "10.0.0.1;10.0.0.2;10.0.0.3",
        '"10.0.0.1;public;private',
        '10.0.0.1;"public',
        '10.0.0.1;"public" x',
        "10.9.9.9;another",
        "x" * 300,
        "10.0.0.1;" * 1000,
        ";" * 5000,
        "224.0.0.1",
    ],
)
def test_a_bad_line_is_named_and_the_rest_works(line: str) -> None:
    assert problem(line)


def test_the_number_is_the_files_own() -> None:
    found = csv_entries.parse_list(b"IP\r\n\r\n# x\r\n10.0.0.1\r\n10.0.0.999\r\n")
    assert str(found.problems[0]).startswith('line 5: "10.0.0.999" is not a valid address')


def test_a_file_that_is_no_list_is_told_in_bounds() -> None:
    found = csv_entries.parse_list(bytes(range(256)) * 4_000)
    assert found.skipped_lines > len(found.problems) == csv_entries.MAX_REPORTED_PROBLEMS


def test_a_file_that_is_far_too_large() -> None:
    with pytest.raises(InvalidListError, match="larger than 8 MB"):
        csv_entries.parse_list(b"x" * (MAX_FILE_BYTES + 1))


@pytest.mark.parametrize(
    "data",
    [
        b" " * MAX_FILE_BYTES,
        b'"' * MAX_FILE_BYTES,
        b'";' * 1_000_000,
        b'" "\n' * 500_000,
        (b'";' * 900 + b"\n") * 4_000,
    ],
)
def test_nothing_takes_long(data: bytes) -> None:
    began = time.monotonic()
    csv_entries.parse_list(data)
    assert time.monotonic() - began < 5


def test_ten_thousand_lines_are_quick() -> None:
    text = "".join(
        f"10.{number // 250}.{number % 250}.7;public{number};private\n" for number in range(10_000)
    )
    began = time.monotonic()
    changes = plan([], text)
    assert len(changes.added) == 10_000
    again = plan(changes.entries, text)
    assert again.unchanged == 10_000
    assert time.monotonic() - began < 5


@given(st.binary(max_size=2_000))
def test_any_bytes(data: bytes) -> None:
    found = csv_entries.parse_list(data)
    csv_entries.parse_exclusions(data)
    assert all(str(each).isprintable() for each in found.problems)
    assert all(plan_of(row) for row in found.rows)


@given(st.text(max_size=500))
def test_any_text(text: str) -> None:
    found = csv_entries.parse_list(text.encode("utf-8", "surrogatepass"))
    assert all(plan_of(row) for row in found.rows)


def plan_of(row: ImportRow) -> bool:
    changes: Any = csv_entries.plan_import([], [row], Exclusions(), (), NOW)
    return len(changes.added) == 1


# Exclusions


@pytest.mark.parametrize(
    "text", ["192. 168. 1. 15\nPri nter1", "192.168.1.15;Printer1", "IP\n192.168.1.15\n\nPRINTER1,\n"]
)
def test_the_exclusion_list_leaves_out(text: str) -> None:
    changes = plan([], MANUAL, exclusions=text)
    assert [entry.addresses for entry in changes.added] == ["192.168.1.20", "Printer2"]
    assert changes.excluded == ("192.168.1.15", "Printer1")


def test_an_exclusion_that_is_none_is_named() -> None:
    _, found = csv_entries.parse_exclusions(b"10.0.0.1\n10.0.0.300\n10.0.0.2")
    assert [each.line for each in found.problems] == [2]


def test_what_is_excluded_later_is_removed() -> None:
    first = plan([], MANUAL)
    changes = plan(first.entries, MANUAL, exclusions="Printer1")
    assert [entry.addresses for entry in changes.removed] == ["Printer1"]


# What changes


def plan(
    old: object, text: str, *, exclusions: str = "", printers: object = (), **login: str
) -> "csv_entries.ImportChanges[Seen]":
    left_out, _ = csv_entries.parse_exclusions(exclusions.encode())
    parsed = csv_entries.parse_list(text.encode())
    return csv_entries.plan_import(old, parsed.rows, left_out, printers, NOW, **login)  # type: ignore[arg-type]


def imported(addresses: str, **others: str) -> DiscoveryEntry:
    return DiscoveryEntry(addresses, source="import", **others)  # type: ignore[arg-type]


def test_entries_of_a_list() -> None:
    changes = plan([], "192.168.1.20;r;w\nPrinter1")
    assert changes.entries == (
        imported("192.168.1.20", community_read="r", community_write="w"),
        imported("Printer1", address_by="name"),
    )


def test_added_changed_removed_and_what_a_person_made() -> None:
    manual = DiscoveryEntry("10.0.0.0/24")
    old = [imported("10.0.0.1"), manual, imported("10.0.0.2"), imported("10.0.0.3"), imported("Old")]
    changes = plan(old, "10.0.0.3\n10.0.0.2;other\n10.0.0.4\n10.0.0.1")
    assert [entry.addresses for entry in changes.added] == ["10.0.0.4"]
    assert [(entry.addresses, entry.community_read) for entry in changes.changed] == [("10.0.0.2", "other")]
    assert [entry.addresses for entry in changes.removed] == ["Old"]
    assert changes.unchanged == 2
    assert changes.entries[0] == manual
    assert [entry.addresses for entry in changes.entries[1:]] == [
        "10.0.0.3",
        "10.0.0.2",
        "10.0.0.4",
        "10.0.0.1",
    ]
    assert not plan(changes.entries, "10.0.0.3\n10.0.0.2;other\n10.0.0.4\n10.0.0.1").has_changes


def test_what_the_list_says_nothing_of_stays() -> None:
    old = imported("10.0.0.1", snmp_version="1", port=1161)  # type: ignore[arg-type]
    (entry,) = plan([old], "10.0.0.1;r").entries
    assert (entry.port, entry.snmp_version, entry.community_read) == (1161, "1", "r")


def test_the_login_goes_to_all_entries_of_the_list() -> None:
    changes = plan([DiscoveryEntry("10.9.9.9")], MANUAL, http_username="admin", http_password="1234")
    manual, *others = changes.entries
    assert (manual.http_username, manual.http_password) == ("", "")
    assert {(entry.http_username, entry.http_password) for entry in others} == {("admin", "1234")}
    assert len(plan(changes.entries, MANUAL).changed) == 4  # and is taken away again


@pytest.mark.parametrize(
    ("before", "text", "doubted"),
    [
        (0, "", True),
        (0, "10.0.0.1", False),
        (4, "", True),
        (4, "# nothing", True),
        (4, "10.0.0.0\n10.0.0.1", False),  # half
        (4, "10.0.0.0", True),
        (4, "10.0.0.0\n10.0.9.1\n10.0.9.2\n10.0.9.3\n10.0.9.4", True),
        (1, "10.0.9.1", True),
    ],
)
def test_a_list_that_lost_most_is_doubted(before: int, text: str, doubted: bool) -> None:
    old = [imported(f"10.0.0.{number}") for number in range(before)]
    assert (plan(old, text).warning is not None) is doubted


def test_printers_that_are_not_listed_and_silent_for_48_hours_go() -> None:
    def seen(number: int, hours: float, host: str, name: str | None = None) -> Seen:
        return Seen(number, Target(host, name), NOW - timedelta(hours=hours))

    known = [
        seen(1, 49, "10.0.0.1"),  # listed
        seen(2, 49, "10.0.0.9"),
        seen(3, 48, "10.0.0.10"),
        seen(4, 47.9, "10.0.0.11"),  # not yet
        seen(5, 500, "10.0.0.12", "printer1"),  # listed by its name
        seen(6, 500, "10.0.0.13"),  # excluded
        seen(7, -24, "10.0.0.14"),  # the clock was set back
    ]
    changes = plan([], "10.0.0.1\nPrinter1\n10.0.0.13", exclusions="10.0.0.13", printers=known)
    assert [printer.id for printer in changes.unavailable] == [2, 3, 6]
