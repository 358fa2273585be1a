"""The settings file: what it may say, what is said about it, and that it survives."""

import os
import stat
import tomllib
import zoneinfo
from dataclasses import asdict, fields
from datetime import UTC, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.domain.model import DiscoveryEntry
from appliance.settings import schema
from appliance.settings.schema import (
    Config,
    Home,
    SettingsError,
    find_problems,
    load_last_good_settings,
    load_settings,
    save_settings,
)

EVERYTHING = """
[plug]
name = "printmonitor-4f2a91"
site = ""
language = "en"
mdns = true

[[discovery.entries]]
addresses = "192.168.1.1-192.168.2.254"
snmp_version = "auto"
community_read = "public"
community_write = "private"
port = 161
address_by = "ip"
http_username = ""
http_password = ""
source = "manual"

[discovery]
exclusions = []
packets_per_second = 200
max_addresses = 65536

[import]
path = ""
exclusions = ""
every = "1h"
http_username = ""
http_password = ""

[schedule]
query_every = "1h"
discover_at = ["02:00"]
time_zone = "Europe/Zurich"

[transmission]
mode = "off"
key = ""
xml_names = "printed"
[transmission.https]
url = ""
ca_file = ""
proxy = ""
proxy_username = ""
proxy_password = ""
[transmission.mail]
host = ""
port = 25
security = "none"
ca_file = ""
username = ""
password = ""
sender = ""
recipient = ""

[traps]
enabled = false
port = 162
communities = []
report = "5m"

[web]
port = 80
tls_port = 443
username = "admin"
password_hash = ""
names = []
metrics_token = ""

[update]
channel = ""
automatic = false
window = ""
ca_file = ""
[update.hawkbit]
url = ""
tenant = "DEFAULT"
controller = ""
token = ""
token_kind = "target"

[network]
interface = "eth0"
method = "dhcp"
address = ""
gateway = ""
dns = []
ntp = []
[network.ipv6]
method = "auto"
address = ""
gateway = ""
[network.wlan]
ssid = ""
passphrase = ""
country = ""
"""


@pytest.fixture
def plug(home: Path) -> Home:
    return Home(home)


def write(plug: Home, text: str) -> None:
    plug.settings.write_text(text)


def wrong(text: str) -> list[str]:
    return find_problems(tomllib.loads(text))


def test_without_a_file_the_defaults_hold(plug: Home) -> None:
    assert load_settings(plug) == Config()
    assert not plug.settings.exists()


def test_the_defaults_are_those_of_the_design(plug: Home) -> None:
    write(plug, EVERYTHING)
    found = asdict(load_settings(plug))
    expected = asdict(Config())
    assert found["discovery"].pop("entries") == (asdict(DiscoveryEntry("192.168.1.1-192.168.2.254")),)
    assert found["plug"].pop("name") == "printmonitor-4f2a91"
    del expected["discovery"]["entries"], expected["plug"]["name"]
    assert found == expected


def test_no_key_is_missing_here() -> None:
    found = tomllib.loads(EVERYTHING)
    assert set(found) == {field.name.rstrip("_") for field in fields(Config)}
    standard = asdict(Config())
    for table, record in found.items():
        assert set(record) == set(standard.get(table) or standard[f"{table}_"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('qery_every = "1h"', "qery_every: unknown; did you mean schedule.query_every?"),
        ("[plug]\nnam = 'x'", "plug.nam: unknown; did you mean name?"),
        ("[plug]\nfavourite_colour = 'x'", "plug.favourite_colour: unknown"),
        ("plug = 3", "plug: must be a table, not a whole number"),
        ("[plug]\nname = 'has blank'", 'plug.name: "has blank" must be 1 to 63 letters, digits or hyphens'),
        ("[plug]\nlanguage = 'fr'", 'plug.language: "fr" must be one of "en", "de"'),
        ('[plug]\nsite = "a\\nb"', "plug.site: contains a character that cannot be printed"),
        ("[traps]\nenabled = 1", "traps.enabled: must be true or false, not a whole number"),
        ("[traps]\nport = true", "traps.port: must be a whole number, not true or false"),
        ("[traps]\nport = 162.0", "traps.port: must be a whole number, not a date or a fraction"),
        ("[web]\nport = 0", "web.port: 0 must be from 1 to 65535"),
        ("[web]\ntls_port = 80", "web.tls_port: 80 is also web.port"),
        ("[discovery]\nexclusions = 'x'", "discovery.exclusions: must be a list, not text in quotes"),
        ("[discovery]\nentries = 'x'", "write [[discovery.entries]] above each"),
        ("[discovery]\nentries = ['x']", "discovery.entries 1: must be a table, not text in quotes"),
        ("[[discovery.entries]]\nport = 161", "discovery.entries 1.addresses: is missing"),
        (
            "[[discovery.entries]]\naddresses='10.0.0.1'\n[[discovery.entries]]\naddresses='10.0.0.9-10.0.0.1'",
            'discovery.entries 2 ("10.0.0.9-10.0.0.1").addresses: "10.0.0.9-10.0.0.1" runs backwards',
        ),
        (
            "[[discovery.entries]]\naddresses='10.0.0.0/8'",
            'discovery.entries 1: "10.0.0.0/8" is 16,777,214 addresses, more than the 65,536 that one run'
            " may poll: narrow it, or raise discovery.max_addresses",
        ),
        (
            "[[discovery.entries]]\naddresses='10.0.0.0/17'\n" * 3,
            "discovery.entries: all entries together are 98,298 addresses",
        ),
        (
            "[discovery]\nexclusions = ['10.0.0.300']",
            'discovery.exclusions 1: "10.0.0.300" is not a valid address',
        ),
        (
            "[schedule]\nquery_every = '1 week'",
            'schedule.query_every: "1 week" must be a number with s, m, h or d',
        ),
        ("[schedule]\nquery_every = '59s'", 'from "1m" to "31d"'),
        (
            "[schedule]\ndiscover_at = ['2 am']",
            'schedule.discover_at 1: "2 am" must be a time from "00:00" to',
        ),
        ("[schedule]\ndiscover_at = ['24:00']", "schedule.discover_at 1"),
        ("[schedule]\ntime_zone = 'Europe/Zurch'", 'must be a time zone such as "Europe/Zurich"'),
        ("[schedule]\ntime_zone = '../../etc/passwd'", "schedule.time_zone"),
        ("[schedule]\ntime_zone = ''", "schedule.time_zone"),
        ("[transmission]\nmode = 'ftp'", '"ftp" must be one of "off", "https", "mail"'),
        (
            "[transmission]\nmode = 'mail'",
            'transmission.mail.host: is missing, and transmission.mode = "mail" is set',
        ),
        ("[transmission.https]\nurl = 'http://cloud.example.com'", "https://cloud.example.com/upload"),
        ("[transmission.https]\nproxy = 'proxy:3128'", "http://proxy.example.com:3128"),
        ("[transmission.mail]\nsender = 'nobody'", '"nobody" must be an address such as "plug@example.com"'),
        ("[update]\nwindow = '2-4'", 'update.window: "2-4" must be a time span such as "02:00-04:00"'),
        ("[update]\nwindow = '02:00-02:00'", "must be a time span"),
        ("[update]\nchannel = 'http://updates.example.com'", "must be an address such as"),
        (
            "[update.hawkbit]\nurl = 'https://fleet.example.com'",
            "update.hawkbit.token: is missing, and update.hawkbit.url is set",
        ),
        ("[update.hawkbit]\ntenant = 'a/b'", 'update.hawkbit.tenant: "a/b" must be 1 to 64 letters'),
        ("[update.hawkbit]\ncontroller = '../x'", 'update.hawkbit.controller: "../x" must be at most 128'),
        ("[network]\nmethod = 'static'", 'network.address: is missing, and network.method = "static" is set'),
        ("[network]\naddress = '10.0.0.1'", "with its prefix"),
        ("[network]\ndns = ['one.one']", 'network.dns 1: "one.one" must be an address'),
        (
            "[network]\ninterface = 'wlan0'",
            'network.wlan.ssid: is missing, and network.interface = "wlan0" is set',
        ),
        ("[network]\ninterface = 'lo'", 'network.interface: "lo" must be "eth0" for the cable'),
        (
            "[network]\nmethod = 'static'\naddress = '10.0.0.5/24'\ngateway = '10.0.1.1'",
            "network.gateway: 10.0.1.1 is not in the network 10.0.0.0/24",
        ),
        ("[network.ipv6]\nmethod = 'static'", "network.ipv6.address: is missing"),
        ("[network.wlan]\ncountry = 'ch'", 'network.wlan.country: "ch" must be the two letters'),
    ],
)
def test_what_is_wrong_is_named_with_what_would_be_right(text: str, line: str) -> None:
    found = wrong(text)
    assert any(line in each for each in found), found
    assert all("\n" not in each for each in found)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    text = "[web]\nport = 0\nx = 1\n[plug]\nname = ''\n[traps]\nenabled = 'no'\n"
    assert [line.partition(":")[0] for line in wrong(text)] == [
        "web.port",
        "web.x",
        "plug.name",
        "traps.enabled",
    ]


def test_the_window_of_an_update_may_lie_around_midnight() -> None:
    assert schema.UpdateConfig().hours is None
    assert schema.UpdateConfig(window="22:00-05:30").hours == (time(22), time(5, 30))


def test_an_address_limit_that_was_raised_is_heeded() -> None:
    assert not wrong("[discovery]\nmax_addresses = 16777216\n[[discovery.entries]]\naddresses = '10.0.0.0/8'")


@pytest.mark.parametrize(
    "text",
    [
        "[transmission]\nkey = ['hunter2']",
        '[transmission]\nkey = "hunter2\\u0000"',
        "[transmission.https]\nproxy = 'http://me:hunter2@proxy:1'",
        "[transmission.https]\nurl = 'https://me:hunter2@cloud'",
        "[transmission.https]\nproxy_password = {a = 'hunter2'}",
        '[transmission.mail]\npassword = "hunter2\\n"',
        "[traps]\ncommunities = 'hunter2'",
        f"[traps]\ncommunities = ['{'hunter2' * 99}']",
        "[[discovery.entries]]\naddresses = '10.0.0.1'\ncommunity_read = ['hunter2']",
        f"[[discovery.entries]]\naddresses = '10.0.0.1'\ncommunity_read = '{'hunter2' * 99}'",
        '[[discovery.entries]]\naddresses = "10.0.0.1"\nhttp_password = "hunter2\\n"',
        "[web]\npassword_hash = ['hunter2']",
        "[network.wlan]\npassphrase = 'hunter2'",
        "[update]\nchannel = 'https://me:hunter2@updates'",
        "[update.hawkbit]\nurl = 'http://me:hunter2@fleet'",
        "[update.hawkbit]\ntoken = 'hunter2 hunter2'",
    ],
)
def test_no_secret_is_told(plug: Home, text: str) -> None:
    write(plug, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(plug)
    assert caught.value.problems
    assert "hunter2" not in str(caught.value)


def test_no_secret_is_in_what_a_log_would_show() -> None:
    secret = "hunter2"
    shown = repr(
        Config(
            transmission=schema.TransmissionConfig(
                key=secret,
                https=schema.HttpsConfig(proxy_password=secret),
                mail=schema.MailConfig(password=secret),
            ),
            traps=schema.TrapsConfig(communities=(secret,)),
            web=schema.WebConfig(password_hash=secret),
            update=schema.UpdateConfig(hawkbit=schema.HawkbitConfig(token=secret)),
        )
    )
    assert secret not in shown


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"[plug]\nname = \n", "settings.toml: is not valid TOML: Invalid value (at line 2, column 8)"),
        (b"[plug]\n\nsite = 'Z\xfcrich'\n", "settings.toml: line 3: is not UTF-8; save the file as UTF-8"),
        ("[plug]".encode("utf-16"), "settings.toml: line 1: is not UTF-8"),
        (b"[plug]\nname = 'x'\nname = 'y'\n", "line 3"),
        (b"a = " + b"[" * 5000, "is nested too deeply"),
        (b"a = 1" + b"0" * 5000, "is not valid TOML"),
        (b"\0\0\0\0", "is not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_read_gives_one_line(plug: Home, data: bytes, line: str) -> None:
    plug.settings.write_bytes(data)
    with pytest.raises(SettingsError) as caught:
        load_settings(plug)
    assert len(caught.value.problems) == 1
    assert line in caught.value.problems[0]


def test_a_file_from_an_editor_of_windows_is_read(plug: Home) -> None:
    plug.settings.write_bytes("\ufeff[plug]\r\nsite = 'Zürich'\r\n".encode())
    assert load_settings(plug).plug.site == "Zürich"


def test_a_folder_in_place_of_the_file_is_no_reason_to_fail(plug: Home) -> None:
    plug.settings.mkdir()
    assert load_last_good_settings(plug) == (Config(), ["settings.toml: cannot be read: Is a directory"])


def test_the_last_good_settings_hold_while_the_file_is_wrong(plug: Home) -> None:
    write(plug, "[plug]\nsite = 'Bern'\n")
    load_settings(plug)
    write(plug, "[plug]\nsite = 3\n")
    found, told = load_last_good_settings(plug)
    assert found.plug.site == "Bern"
    assert told == ["plug.site: must be text in quotes, not a whole number"]
    write(plug, "[plug]\nsite = 'Basel'\n")
    assert load_last_good_settings(plug)[0].plug.site == "Basel"


def test_a_file_that_an_editor_left_empty_does_not_forget_the_settings(plug: Home) -> None:
    write(plug, "[plug]\nsite = 'Bern'\n")
    load_settings(plug)
    write(plug, "")
    found, told = load_last_good_settings(plug)
    assert found.plug.site == "Bern"
    assert "is empty" in told[0]


def test_after_a_fall_back_the_settings_of_a_newer_version_are_used_as_far_as_known(plug: Home) -> None:
    newer = "[plug]\nsite = 'Bern'\n[[discovery.entries]]\naddresses = '10.0.0.1'\n[telepathy]\nrange = 3\n"
    write(plug, newer)
    plug.last_good.write_text(newer)
    found, told = load_last_good_settings(plug)
    assert found.plug.site == "Bern"
    assert found.discovery.entries == (DiscoveryEntry("10.0.0.1"),)
    assert told == ["telepathy: unknown"]


def test_of_a_wrong_list_the_right_items_are_used(plug: Home) -> None:
    write(plug, "[discovery]\nexclusions = ['10.0.0.1', '10.0.0.300']\n[[discovery.entries]]\nport = 3\n")
    assert load_last_good_settings(plug)[0].discovery.exclusions == ("10.0.0.1",)


@pytest.mark.parametrize("data", [b"", b"\xff", b"x", b"[plug]\nsite = 3"])
def test_a_service_always_gets_settings(plug: Home, data: bytes) -> None:
    plug.settings.write_bytes(data)
    plug.last_good.write_bytes(data)
    assert load_last_good_settings(plug)[0] == Config()


def test_saved_settings_are_private_and_leave_nothing_beside(plug: Home) -> None:
    save_settings(plug, Config())
    assert stat.S_IMODE(plug.settings.stat().st_mode) == 0o600
    assert stat.S_IMODE(plug.last_good.stat().st_mode) == 0o600
    assert sorted(path.name for path in plug.folder.iterdir() if path.is_file()) == [
        "settings.last-good.toml",
        "settings.toml",
    ]


def test_saving_says_that_comments_are_lost(plug: Home) -> None:
    save_settings(plug, Config())
    assert "comments are lost" in plug.settings.read_text().partition("[plug]")[0]


def test_wrong_settings_are_not_saved(plug: Home) -> None:
    save_settings(plug, Config())
    before = plug.settings.read_bytes()
    with pytest.raises(SettingsError):
        save_settings(plug, Config(web=schema.WebConfig(port=0)))
    assert plug.settings.read_bytes() == before


def test_saved_settings_are_the_last_good_ones(plug: Home) -> None:
    save_settings(plug, Config(plug=schema.PlugConfig(site="Bern")))
    write(plug, "broken")
    assert load_last_good_settings(plug)[0].plug.site == "Bern"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_saves_still_belongs_to_the_services(plug: Home) -> None:
    os.chown(plug.folder, 12345, 12345)
    save_settings(plug, Config())
    assert plug.settings.stat().st_uid == plug.last_good.stat().st_uid == 12345


line = st.text(st.characters(exclude_categories=("C", "Z")), max_size=20)
word = st.text(st.sampled_from("abcXYZ019-"), min_size=1, max_size=9).map(lambda text: f"x{text}x")
port = st.integers(1, 65535)
entry = st.builds(
    DiscoveryEntry,
    addresses=st.one_of(
        st.builds("10.{}.{}.1-254".format, st.integers(0, 255), st.integers(0, 255)),
        word,
        st.sampled_from(["192.168.1.0/24", "10.0.0.1, 10.0.0.2", "printer.example.com", "fd00::5"]),
    ),
    snmp_version=st.sampled_from(["auto", "1", "2"]),
    community_read=line.filter(bool),
    community_write=line,
    port=port,
    address_by=st.sampled_from(["ip", "name"]),
    http_username=line,
    http_password=line,
    source=st.sampled_from(["manual", "import"]),
)
configs = st.builds(
    Config,
    plug=st.builds(schema.PlugConfig, name=word, site=line, language=st.sampled_from(["en", "de"])),
    discovery=st.builds(
        schema.DiscoveryConfig,
        entries=st.lists(entry, max_size=3).map(tuple),
        exclusions=st.lists(word, max_size=3).map(tuple),
        packets_per_second=st.integers(1, 10_000),
    ),
    schedule=st.builds(
        schema.ScheduleConfig,
        query_every=st.sampled_from(["1m", "90s", "1h", "31d"]),
        discover_at=st.lists(st.times().map("{:%H:%M}".format), max_size=3).map(tuple),
        time_zone=st.sampled_from(["UTC", "Europe/Zurich", "America/Sao_Paulo"]),
    ),
    transmission=st.builds(
        schema.TransmissionConfig,
        mode=st.sampled_from(["off", "https"]),
        key=line,
        https=st.builds(schema.HttpsConfig, ca_file=line, proxy_username=line, proxy_password=line),
        mail=st.builds(schema.MailConfig, port=port, username=line, password=line),
    ),
    traps=st.builds(
        schema.TrapsConfig, st.booleans(), port, st.lists(line.filter(bool), max_size=3).map(tuple)
    ),
    web=st.builds(schema.WebConfig, st.just(8080), st.just(8443), line.filter(bool), line),
)


@given(configs)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_saved_is_what_is_loaded(plug: Home, value: Config) -> None:
    save_settings(plug, value)
    assert load_settings(plug) == value


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([(t, k) for t, record in asdict(Config()).items() for k in record]), values)
@settings(max_examples=200, deadline=None)
def test_no_value_whatever_makes_the_check_fail(key: tuple[str, str], value: object) -> None:
    for problem in find_problems({key[0]: {key[1]: value}}):
        assert problem.isprintable()


def test_times_and_durations_are_understood() -> None:
    schedule = schema.ScheduleConfig(query_every="90s", discover_at=("14:30", "2:05"))
    assert schedule.query_interval_s == 90
    assert schedule.discover_times == (time(2, 5), time(14, 30))


def test_without_time_zone_data_it_says_so_and_goes_by_utc(plug: Home) -> None:
    write(plug, "[schedule]\ntime_zone = 'Europe/Zurich'\n[plug]\nsite = 'Bern'\n")
    zoneinfo.ZoneInfo.clear_cache()
    zoneinfo.reset_tzpath(to=[])
    try:
        found, told = load_last_good_settings(plug)
        assert found.schedule.zone is UTC
    finally:
        zoneinfo.reset_tzpath()
    assert found.plug.site == "Bern"
    assert told == ["schedule.time_zone: cannot be used: the system has no time zone data (package tzdata)"]


def test_thousands_of_entries_are_no_trouble(plug: Home) -> None:
    entries = tuple(DiscoveryEntry(f"10.1.{number // 250}.{number % 250}") for number in range(2_000))
    value = Config(discovery=schema.DiscoveryConfig(entries=entries))
    save_settings(plug, value)
    assert load_settings(plug) == value


def test_the_table_of_the_import_list(plug: Home) -> None:
    write(plug, "[import]\npath = '/mnt/share/printers.csv'\nevery = '30m'\n")
    found = load_settings(plug)
    assert (found.import_.path, found.import_.seconds) == ("/mnt/share/printers.csv", 1800)
    save_settings(plug, found)
    assert "[import]" in plug.settings.read_text()
    assert load_settings(plug) == found
    assert find_problems({"import": {"every": "0s", "pat": ""}}) == [
        'import.every: "0s" must be a number with s, m, h or d, from "1m" to "31d", such as "1h"',
        "import.pat: unknown; did you mean path?",
    ]


def test_what_goes_without_saying_is_not_written_for_each_entry(plug: Home) -> None:
    entries = (DiscoveryEntry("10.0.0.1"), DiscoveryEntry("10.0.0.2", community_read="mine"))
    save_settings(plug, Config(discovery=schema.DiscoveryConfig(entries=entries)))
    assert plug.settings.read_text().count("community_write") == 0
    assert load_settings(plug).discovery.entries == entries


@pytest.mark.parametrize(
    "recipient", ["a@b.ch", "a@b.ch, c.d+e@f.example", "büro@zürich.example", "a@[10.0.0.1]"]
)
def test_mail_addresses(recipient: str) -> None:
    assert find_problems({"transmission": {"mail": {"recipient": recipient}}}) == []


@pytest.mark.parametrize("recipient", ["a", "a@", "a@b c", "a@b;c@d", "<a@b>", '"a b"@c', "a@b,", "a@b@c"])
def test_texts_that_are_no_mail_address(recipient: str) -> None:
    assert len(find_problems({"transmission": {"mail": {"recipient": recipient}}})) == 1
