"""`printmonitor import-printers`, and the reference's name for it, as people type them."""

import json
from pathlib import Path

import pytest

from appliance import __main__
from appliance.settings import schema
from appliance.settings.schema import Home
from appliance.storage import database, save_reading
from tests.discovery.test_csv_entries import MANUAL
from tests.storage.readings import NOW, reading


class Typed:
    """What a command did."""

    def __init__(self, capsys: pytest.CaptureFixture[str], state: Path, folder: Path) -> None:
        self._capsys, self._state, self.folder = capsys, state, folder
        self.home = Home(state)
        self.code, self.out, self.err = 0, "", ""

    def __call__(self, *arguments: str, program: str = "pm_import_printers") -> "Typed":
        command = ["import-printers"] if program == "printmonitor" else []
        try:
            self.code = __main__.main([*command, *arguments, "--state", str(self._state)], program)
        except SystemExit as ended:
            self.code = int(str(ended.code))
        self.out, self.err = self._capsys.readouterr()
        assert "Traceback" not in self.err
        return self

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def saved(self) -> list[tuple[str, str, str]]:
        return [
            (entry.addresses, entry.community_read, entry.http_username)
            for entry in schema.load_settings(self.home).discovery.entries
        ]


@pytest.fixture
def typed(
    capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Typed:
    monkeypatch.delenv("PRINTMONITOR_STATE", raising=False)
    monkeypatch.chdir(tmp_path)
    return Typed(capsys, home, tmp_path)


@pytest.mark.parametrize("program", ["pm_import_printers", "printmonitor"])
def test_the_manuals_list_and_its_command_line(typed: Typed, program: str) -> None:
    typed.file("printers.csv", MANUAL)
    typed.file("exceptions.csv", "Pri nter2\n")
    assert typed("printers.csv", "exceptions.csv", "admin", "1234", program=program).code == 0
    assert typed.saved() == [
        ("192.168.1.15", "public", "admin"),
        ("192.168.1.20", "SnmpRead", "admin"),
        ("Printer1", "public", "admin"),
    ]
    assert "3 added" in typed.out
    assert "1 excluded" in typed.out
    assert schema.load_settings(typed.home).discovery.entries[0].http_password == "1234"
    assert "1234" not in typed.out + typed.err


def test_one_argument_and_three(typed: Typed) -> None:
    typed.file("printers.csv", "10.0.0.1\n")
    assert typed("printers.csv").code == 0
    assert typed.saved() == [("10.0.0.1", "public", "")]
    assert typed("printers.csv", "admin", "1234").code == 0
    assert typed.saved() == [("10.0.0.1", "public", "admin")]
    assert typed("printers.csv", "", "other", "1234").code == 0
    assert typed.saved() == [("10.0.0.1", "public", "other")]


def test_without_a_login_the_one_of_the_settings_holds(typed: Typed) -> None:
    typed.home.settings.write_text('import.http_username = "kept"\nimport.http_password = "secret"\n')
    typed.file("printers.csv", "10.0.0.1\n")
    assert typed("printers.csv").code == 0
    assert typed.saved() == [("10.0.0.1", "public", "kept")]


def test_a_dry_run_shows_what_would_change(typed: Typed) -> None:
    typed.file("printers.csv", "10.0.0.1\n10.0.0.2;geheim\n10.0.0.3\n")
    typed("printers.csv")
    db = database.open_database(typed.home.database)
    save_reading.store_reading(db, reading("10.0.0.99"), NOW)
    db.close()
    typed.file("printers.csv", "10.0.0.1\n10.0.0.2;anders\n10.0.0.4\n")
    before = typed.home.settings.read_bytes()
    assert typed("printers.csv", "--dry-run").code == 0
    lines = typed.out.splitlines()
    assert lines[:3] == ["+ 10.0.0.4", "~ 10.0.0.2", "- 10.0.0.3"]
    assert lines[3].startswith("x printer 1 10.0.0.99 Ricoh Aficio MP C4000 V1234567890, last seen ")
    assert lines[-1] == "nothing was changed: this was a dry run"
    assert "anders" not in typed.out  # communities are as good as passwords
    assert typed.home.settings.read_bytes() == before


def test_a_bad_line_is_named_and_the_rest_works(typed: Typed) -> None:
    typed.file("printers.csv", "IP\n10.0.0.1\n10.0.0.256\n10.0.0.2\x1b[2J\n10.0.0.3\n")
    assert typed("printers.csv").code == 1
    assert typed.err.splitlines()[0].startswith('printers.csv: line 3: "10.0.0.256" is not a valid address')
    assert "\x1b" not in typed.err
    assert [addresses for addresses, _, _ in typed.saved()] == ["10.0.0.1", "10.0.0.3"]


def test_a_list_that_lost_most_asks_for_force(typed: Typed) -> None:
    typed.file("printers.csv", "10.0.0.1\n10.0.0.2\n10.0.0.3\n")
    typed("printers.csv")
    for text in ("", "10.0.0.1\n"):
        typed.file("printers.csv", text)
        assert typed("printers.csv").code == 2
        assert "--force" in typed.err
        assert len(typed.err.splitlines()) == 1
        assert len(typed.saved()) == 3
        assert typed("printers.csv", "--dry-run").code == 0
        assert "--force" in typed.err
    assert typed("printers.csv", "--force").code == 0
    assert len(typed.saved()) == 1


def test_a_list_without_a_usable_line_is_told_what_is_wrong_with_them(typed: Typed) -> None:
    typed.file("printers.csv", "10.0.0.256\n10.0.0.1\x00\n")
    assert typed("printers.csv").code == 2
    assert typed.out == ""
    first, second, last = typed.err.splitlines()
    assert "line 1: " in first
    assert "line 2: " in second
    assert "no usable line" in last


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "required"),
        (["nowhere.csv"], "No such file"),
        (["printers.csv", "nowhere.csv"], "nowhere.csv: No such file"),
        (["printers.csv", "exceptions.csv", "admin"], "PASSWORD is missing"),
        (["printers.csv", "exceptions.csv", "a", "b", "c"], "more than"),
        (["printers.csv", "--bogus"], "--bogus"),
        ([r"\\servername\directory\printers.csv"], "mounted"),
    ],
)
def test_wrong_usage_is_one_line(typed: Typed, arguments: list[str], words: str) -> None:
    typed.file("printers.csv", "10.0.0.1\n")
    typed.file("exceptions.csv", "10.0.0.2\n")
    assert typed(*arguments).code == 2
    assert len(typed.err.splitlines()) == 1
    assert words in typed.err
    assert not typed.home.settings.exists()


def test_json(typed: Typed) -> None:
    typed.file("printers.csv", "10.0.0.1\n10.0.0.256\n")
    assert typed("printers.csv", "--json").code == 1
    told = json.loads(typed.out)
    assert (told["added"], told["bad_lines"], told["applied"]) == (["10.0.0.1"], 1, True)
    assert told["problems"][0].startswith("line 2:")


def test_ten_thousand_lines(typed: Typed) -> None:
    typed.file("printers.csv", "".join(f"10.{n // 250}.{n % 250}.7;r;w\n" for n in range(10_000)))
    assert typed("printers.csv").code == 0
    assert len(typed.saved()) == 10_000
    assert len(typed.out.splitlines()) < 60
