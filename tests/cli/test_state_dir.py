import json
from pathlib import Path

import pytest

from tests.command_line import Here, settings


@pytest.mark.parametrize("command", ["status", "outbox", "export", "check"])
def test_looking_makes_no_state_folder(command: str, here: Here, tmp_path: Path) -> None:
    ended = here(command, state=tmp_path / "nowhere")
    assert ended.code == 2
    assert "nowhere" in ended.complaint
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("command", ["status", "query", "check"])
def test_state_folder_that_is_a_file(command: str, here: Here, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = here(command, state=tmp_path / "file")
    assert ended.code == 2
    assert str(tmp_path / "file") in ended.complaint


def test_database_that_cannot_be_opened(here: Here, tmp_path: Path) -> None:
    (tmp_path / "printmonitor.db").mkdir()
    ended = here("status", state=tmp_path)
    assert ended.code == 2
    assert "printmonitor.db" in ended.complaint


def test_wrong_settings_are_named_one_by_one(here: Here, tmp_path: Path) -> None:
    settings(tmp_path, 'web.port = 0\nschedule.query_evry = "1h"\ntransmission.mode = "pigeon"\n')
    checked = here("check", state=tmp_path)
    assert checked.code == 2
    for key in ("web.port", "schedule.query_evry", "transmission.mode"):
        assert any(line.startswith(key) for line in checked.out.splitlines())
    as_json = here("check", "--json", state=tmp_path)
    assert as_json.code == 2
    assert len(json.loads(as_json.out)["problems"]) == 3
    queried = here("query", state=tmp_path)
    assert queried.code == 2
    assert queried.err.count("\n") == 3
    assert "3 problems" in here("status", state=tmp_path).out


def test_settings_that_are_no_toml(here: Here, tmp_path: Path) -> None:
    settings(tmp_path, "[plug\nname = ")
    ended = here("discover", state=tmp_path)
    assert ended.code == 2
    assert "settings.toml" in ended.complaint


def test_check_without_problems(here: Here, tmp_path: Path) -> None:
    assert (here("check", state=tmp_path).code, here("check", state=tmp_path).err) == (0, "")
    settings(tmp_path, "plug.site = 'Bern'")
    assert "no problems" in here("check", state=tmp_path).out


def test_range_typed_by_mistake_is_refused(here: Here, tmp_path: Path) -> None:
    settings(tmp_path, '[[discovery.entries]]\naddresses = "127.0.0.0/8"\n')
    ended = here("discover", state=tmp_path)
    assert ended.code == 2
    assert "65,536" in ended.complaint


def test_state_by_environment(here: Here, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRINTMONITOR_STATE", str(tmp_path))
    assert str(tmp_path) in here("check").out
