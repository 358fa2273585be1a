"""A file on the boot partition sets the Plug up, all of it or nothing, and does not stay there."""

import os
import shutil
from pathlib import Path

import pytest

from appliance.host import passwords
from appliance.licensing import csr, installer, keystore, pending, status
from appliance.licensing.claims import InvalidLicenceError
from appliance.privileged import boot_notes
from appliance.provisioning import provision
from appliance.provisioning.provision import ProvisioningDirs
from appliance.settings import schema
from appliance.settings.schema import Home
from tests.licensing.licences import DAY, HOUR, NOW, licence
from tests.provider.authority import Authority

WHOLE = """
[plug]
name = "plug-basel"
site = "Zürich, 2nd floor"
language = "de"

[network]
method = "static"
address = "192.168.1.5/24"
gateway = "192.168.1.1"
dns = ["192.168.1.1"]

[[discovery.entries]]
addresses = "192.168.1.10-192.168.1.200"
community_read = "office"

[transmission]
mode = "https"
key = "the key of the parcels"
[transmission.https]
url = "https://cloud.example.com/upload"

[web]
password = "a good one 17"
"""


class Card:
    """The boot partition, and a Plug that starts with it."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.boot, self.home = folder / "boot", Home(home)
        self.boot.mkdir()
        (self.boot / "slots.env").write_text("the boot loader's")
        self._places = ProvisioningDirs(self.boot, folder / "notes")

    def put(self, text: str | bytes, name: str = "printmonitor.toml") -> Path:
        path = self.boot / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def start(self) -> None:
        provision.provision_plug(self.home, self._places)

    @property
    def files(self) -> set[str]:
        return {path.name for path in self.boot.iterdir()}

    @property
    def answer(self) -> list[str]:
        lines = (self.boot / "printmonitor-problems.txt").read_bytes().decode().split("\r\n")
        return [line.removeprefix("- ") for line in lines if line.startswith("- ")]

    @property
    def told(self) -> list[str]:
        return [each.text for each in boot_notes.read_boot_notes(self._places.notes_dir)]


@pytest.fixture
def card(tmp_path: Path, home: Path) -> Card:
    return Card(tmp_path, home)


def test_without_a_file_nothing_happens(card: Card) -> None:
    card.start()
    assert not card.home.settings.exists()
    assert (card.files, card.told) == ({"slots.env"}, [])


def test_everything_is_taken_over_and_removed(card: Card) -> None:
    card.put(WHOLE)
    card.start()
    found = schema.load_settings(card.home)
    assert (found.plug.name, found.plug.site, found.plug.language) == (
        "plug-basel",
        "Zürich, 2nd floor",
        "de",
    )
    assert (found.network.method, found.network.address) == ("static", "192.168.1.5/24")
    assert [entry.community_read for entry in found.discovery.entries] == ["office"]
    assert found.transmission.https.url == "https://cloud.example.com/upload"
    assert passwords.verify_password("a good one 17", found.web.password_hash)
    assert "a good one 17" not in card.home.settings.read_text()
    assert card.files == {"slots.env"}
    assert card.told == ["printmonitor.toml was taken over and removed from the card"]


def test_what_is_not_in_it_stays(card: Card) -> None:
    card.put(WHOLE)
    card.start()
    card.put('[plug]\nsite = "Basel"\n[[discovery.entries]]\naddresses = "10.0.0.0/24"\n')
    card.start()
    found = schema.load_settings(card.home)
    assert (found.plug.name, found.plug.site) == ("plug-basel", "Basel")
    assert [entry.addresses for entry in found.discovery.entries] == ["10.0.0.0/24"]
    assert found.transmission.key == "the key of the parcels"


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_from_windows(card: Card, coding: str) -> None:
    card.put(WHOLE.replace("\n", "\r\n").encode(coding), "printmonitor.toml.txt")
    card.start()
    assert schema.load_settings(card.home).plug.site == "Zürich, 2nd floor"
    assert card.files == {"slots.env"}


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            '[plug]\nname = "my plug"\nsight = "x"\n[network]\nmethod = "fixed"\n',
            ['plug.name: "my plug" must be', "plug.sight: unknown", 'network.method: "fixed" must be'],
        ),
        ('[network]\nmethod = "static"\n', ["network.address: is missing"]),
        ("[plug\n", ["printmonitor.toml: is not valid TOML"]),
        ('[web]\npassword = "short"\n', ["web.password: must have at least 10 characters"]),
        ("[web]\npassword = 17\n", ["web.password: must be text in quotes"]),
        ('[licence]\nfile = "other.pem"\n', ["licence.file: there is no file other.pem beside"]),
        ('[licence]\nfile = "../../etc/shadow"\n', ["licence.file: there is no file"]),
        ('[licence]\nkey = "x"\n', ["licence.key: unknown"]),
        ("licence = 1\n", ["licence: must be a table"]),
        ("[licence]\nfile = 1\n", ["licence.file: must be text in quotes"]),
        (
            '[licence]\nenrolment_url = "http://x"\n',
            ["licence.enrolment_url: an enrolment URL begins with https"],
        ),
        ('[licence]\nenrolment_code = "x"\n', ["licence.enrolment_url: an enrolment URL begins with https"]),
        ('[licence]\ntext = "none"\n', ["licence: this is not a licence file"]),
        ('[plug]\nsite = "Z\xfcrich"\n'.encode("latin-1"), ["printmonitor.toml: line 2: is not UTF-8"]),
        ("a = " + "[" * 5_000, ["printmonitor.toml: is nested too deeply"]),
        (b"\x00" * 100, ["printmonitor.toml: is not text; save the file as UTF-8"]),
    ],
)
def test_mistakes_are_answered_and_nothing_is_taken_over(
    card: Card, text: str | bytes, problems: list[str]
) -> None:
    path = card.put(text)
    card.start()
    assert len(card.answer) == len(problems), card.answer
    for problem, expected in zip(sorted(card.answer), sorted(problems), strict=True):
        assert problem.startswith(expected)
    assert not card.home.settings.exists()
    assert path.read_bytes() == (text if isinstance(text, bytes) else text.encode())
    assert card.told[0].startswith("printmonitor.toml is not taken over: ")


def test_one_mistake_keeps_the_rest_back(card: Card) -> None:
    card.put(WHOLE + '[licence]\nenrolment_url = "ftp://x"\n')
    card.start()
    assert not card.home.settings.exists()
    card.put(WHOLE)
    card.start()
    assert schema.load_settings(card.home).plug.name == "plug-basel"
    assert card.files == {"slots.env"}


def test_an_answer_names_no_secret(card: Card) -> None:
    card.put('[web]\npassword = "short"\n[network.wlan]\npassphrase = "secret"\n[transmission]\nkey = 5\n')
    card.start()
    text = (card.boot / "printmonitor-problems.txt").read_text()
    assert "secret" not in text
    assert '"short"' not in text
    assert len(card.answer) == 3


def test_a_power_cut_before_it_was_removed_is_harmless(card: Card, tmp_path: Path) -> None:
    card.put(WHOLE + '[licence]\nenrolment_url = "https://example.com/enrol"\nenrolment_code = "17"\n')
    shutil.copytree(card.boot, tmp_path / "as it was")
    card.start()
    first, asked = schema.load_settings(card.home), csr.read_request(card.home.folder)
    shutil.copytree(tmp_path / "as it was", card.boot, dirs_exist_ok=True)
    card.start()
    again = schema.load_settings(card.home)
    assert again.discovery == first.discovery
    assert again.plug == first.plug
    assert asked is not None
    assert csr.read_request(card.home.folder) == asked
    assert card.files == {"slots.env"}


def test_an_enrolment_waits_for_the_poller(card: Card) -> None:
    card.put('[licence]\nenrolment_url = "https://example.com/enrol"\nenrolment_code = "17"\n')
    card.start()
    assert csr.load_enrolment(card.home.folder) == csr.Enrolment("https://example.com/enrol", "17")
    assert status.get_status(card.home.folder, NOW).state == "requested"


def test_a_licence_for_this_plug_s_request_comes_along(card: Card, authority: Authority) -> None:
    data = licence(authority, card.home.folder)
    card.put('[plug]\nsite = "Basel"\n')
    card.put(data, "licence.pem")
    card.start()
    assert card.files == {"slots.env"}
    assert status.get_status(card.home.folder, NOW).licence is None  # the clock may be wrong yet
    installed = pending.install_pending(card.home.folder, NOW)
    assert installed is not None
    assert status.get_status(card.home.folder, NOW).state == "valid"
    assert pending.install_pending(card.home.folder, NOW) is None


@pytest.mark.parametrize("way", ["file", "text"])
def test_a_licence_with_its_key_needs_no_request(
    card: Card, authority: Authority, tmp_path: Path, way: str
) -> None:
    elsewhere = tmp_path / "provider"
    elsewhere.mkdir()
    data = licence(authority, elsewhere) + (elsewhere / "tls" / keystore.REQUEST_KEY_FILE).read_bytes()
    if way == "file":
        card.put(data, "our-licence.pem")
        card.put('[licence]\nfile = "our-licence.pem"\n')
    else:
        card.put(f'[licence]\ntext = """\n{data.decode()}"""\n')
    card.start()
    assert card.files == {"slots.env"}
    assert pending.install_pending(card.home.folder, NOW) is not None
    assert status.get_status(card.home.folder, NOW).state == "valid"


def test_a_licence_of_another_plug_is_a_mistake(card: Card, authority: Authority, tmp_path: Path) -> None:
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    card.put("")
    card.put(licence(authority, elsewhere), "licence.pem")
    card.start()
    assert card.answer == ["licence: the licence is not for this Plug: this Plug has not requested one yet"]
    assert card.files == {"slots.env", "printmonitor.toml", "licence.pem", "printmonitor-problems.txt"}


def test_a_licence_whose_time_has_not_come_waits_and_one_that_is_over_goes(
    card: Card, authority: Authority
) -> None:
    data = licence(authority, card.home.folder, start=NOW + DAY)
    pending.put(card.home.folder, data)
    for _ in range(2):
        with pytest.raises(InvalidLicenceError, match="not valid before"):
            pending.install_pending(card.home.folder, NOW)
    assert pending.install_pending(card.home.folder, NOW + DAY + HOUR) is not None
    pending.put(card.home.folder, licence(authority, card.home.folder, end=NOW + DAY))
    with pytest.raises(InvalidLicenceError, match="expired"):
        pending.install_pending(card.home.folder, NOW + 2 * DAY)
    assert pending.install_pending(card.home.folder, NOW + 2 * DAY) is None


def test_a_foreign_key_beside_a_licence_is_refused(card: Card, authority: Authority, tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    data = licence(authority, tmp_path / "one")
    licence(authority, tmp_path / "other")
    foreign = (tmp_path / "other" / "tls" / keystore.REQUEST_KEY_FILE).read_bytes()
    with pytest.raises(InvalidLicenceError, match="does not belong to its certificate"):
        pending.check(card.home.folder, data + foreign)
    assert installer.vendor_ca_path().exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_what_root_takes_over_belongs_to_the_services(card: Card) -> None:
    nobody = 65_534
    for folder in (card.home.folder, *card.home.folder.parents):
        if folder.stat().st_uid == 0 and folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(folder.stat().st_mode | 0o055)
    for path in (card.home.folder, *card.home.folder.rglob("*")):
        os.chown(path, nobody, nobody)
    card.put(WHOLE)
    card.start()
    assert card.told == ["printmonitor.toml was taken over and removed from the card"]
    assert {path.stat().st_uid for path in card.home.folder.rglob("*")} == {nobody}
