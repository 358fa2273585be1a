"""The wizard: at a terminal, by flags, again, and interrupted."""

import asyncio
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.cli import common_arguments, wizard_questions
from appliance.licensing import status
from appliance.settings import schema
from appliance.settings.schema import Config, Home
from tests import children
from tests.fakes.agent import Agent, Device
from tests.fakes.cloud import Cloud
from tests.fakes.models import MODELS
from tests.licensing.licences import NOW, licence
from tests.provider import server
from tests.provider.authority import Authority
from tests.provider.server import Offer

SECONDS = 30.0


class Terminal:
    """A person at a terminal."""

    def __init__(self, home: Path, authority: Authority, arguments: Sequence[str] = ()) -> None:
        self.seen = ""
        self._read_to = 0
        self._terminal, theirs = pty.openpty()
        extra = {"PRINTMONITOR_VENDOR_CA": str(authority.ca_file), "PYTHONPATH": str(children.ROOT)}
        self._child = subprocess.Popen(
            children.printmonitor("wizard", *arguments, state=home),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=home.parent,
            env=children.environment(extra),
            start_new_session=True,
            preexec_fn=_control_terminal,  # noqa: PLW1509  one system call, no lock is taken
        )
        os.close(theirs)

    def answers(self, *pairs: tuple[str, str | None]) -> None:
        """Waits for each question and types its answer; None where nothing is asked."""
        for question, answer in pairs:
            self.waits_for(question)
            if answer is not None:
                os.write(self._terminal, f"{answer}\n".encode())

    def waits_for(self, text: str) -> None:
        until = time.monotonic() + SECONDS
        while text not in self.seen[self._read_to :]:
            assert time.monotonic() < until, f"no {text!r} in {self.seen[self._read_to :]!r}"
            assert self._read(), f"ended without {text!r}: {self.seen}"
        self._read_to = self.seen.index(text, self._read_to) + len(text)

    def presses_control_c(self) -> None:
        os.write(self._terminal, b"\x03")

    def end(self) -> int:
        while self._read():
            pass
        os.close(self._terminal)
        return self._child.wait(SECONDS)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], SECONDS)
        assert ready, f"hangs after {self.seen!r}"
        try:
            piece = os.read(self._terminal, 65_536)
        except OSError:  # the child has closed its end
            return False
        self.seen += piece.decode()
        return bool(piece)


def _control_terminal() -> None:
    """Ctrl-C typed there is for the child."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


async def by_flags(home: Path, authority: Authority, *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *children.printmonitor("wizard", *arguments, state=home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=children.ROOT,
        env=children.environment({"PRINTMONITOR_VENDOR_CA": str(authority.ca_file)}),
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in err
    return process.returncode, out.decode(), err.decode()


def settings(home: Path) -> Config:
    return schema.load_settings(Home(home))


ENDING = ("--no-discover", "--no-test")


@pytest.fixture
async def provider(authority: Authority, cloud: Cloud) -> AsyncIterator[server.Enrolment]:
    cloud.trust(authority.ca_file)
    async with server.Enrolment(authority, {"code"}, Offer(cloud.url)) as running:
        yield running


async def test_a_first_time_at_the_terminal(home: Path, authority: Authority) -> None:
    person = Terminal(home, authority)
    await asyncio.to_thread(
        person.answers,
        ("Name of this site", "Zug, Büro 2"),
        ("Addresses to search", "127.31.9.1-127.31.9.2-3"),
        ("is no", None),  # what is wrong is said at once, and asked again
        ("Addresses to search", "127.31.9.1"),
        ("SNMP community to read with [public]", ""),
        ("Time between two queries of the known printers [1h]", "30m"),
        ("(or never) [02:00]", "25:00"),
        ('must be a time from "00:00" to "23:59"', None),
        ("(or never) [02:00]", ""),
        ("Time zone [Europe/Zurich]", "UTC"),
        ("How to send the data: https, mail or off [https]", ""),
        ("Licence: online, by file, keep or later [online]", "file"),
        ("Licence file", ""),
        ("Save this? [yes]", ""),
        ("Search for printers now? [yes]", "no"),
        ("Send a test delivery now? [yes]", ""),
    )
    assert await asyncio.to_thread(person.end) == 3
    assert "FAILED  settings     The receiver's URL is missing." in person.seen
    now = settings(home)
    assert (now.plug.site, now.schedule.query_every, now.schedule.time_zone) == ("Zug, Büro 2", "30m", "UTC")
    assert [each.addresses for each in now.discovery.entries] == ["127.31.9.1"]
    (carried,) = home.parent.glob("*-request.pem")
    assert carried.read_text().startswith("-----BEGIN CERTIFICATE REQUEST")
    assert status.get_status(home, NOW).state == "requested"


async def test_everything_by_flags(
    home: Path,
    authority: Authority,
    agent: Agent,
    *,
    cloud: Cloud,
    provider: server.Enrolment,
    tmp_path: Path,
) -> None:
    """Site, addresses, licence; then a discovery that delivers, and a test delivery."""
    agent.add("127.31.9.1", Device(next(iter(MODELS.values())).rows()))
    both = tmp_path / "both.pem"
    both.write_bytes(authority.ca_file.read_bytes() + cloud.ca_file.read_bytes())
    (home / "settings.toml").write_text(
        f'transmission.https.ca_file = "{both}"\n'
        f'[[discovery.entries]]\naddresses = "127.31.9.9"\nport = {agent.port}\n'
    )
    code, out, err = await by_flags(
        *(home, authority, "--yes", "--site", "Zug", "--range", "127.31.9.1"),
        *("--discover-at", "never", "--enrolment-url", provider.url, "--code", "code"),
    )
    assert code == 0, (out, err)
    now = settings(home)
    assert (now.plug.site, now.transmission.mode, now.schedule.discover_at) == ("Zug", "https", ())
    assert [(each.addresses, each.port) for each in now.discovery.entries] == [("127.31.9.1", agent.port)]
    assert "The licence of Example AG for printmonitor-" in out
    assert "discover: 1 printer read" in out
    assert re.search(r"^ok +parcel +The test parcel was accepted", out, re.MULTILINE)
    assert len(cloud.arrivals) == 2
    assert {arrival.plug for arrival in cloud.arrivals} == {arrival.client for arrival in cloud.arrivals}


async def test_without_a_terminal_the_missing_flags_are_named(home: Path, authority: Authority) -> None:
    code, out, err = await by_flags(home, authority, "--site", "Zug", "--transmission", "mail")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "--site" not in err
    for flag in ("--range", "--query-every", "--mail-host", "--licence", "--yes"):
        assert flag in err
    assert not (home / "settings.toml").exists()


def test_with_its_input_closed_the_missing_flags_are_named_too(home: Path) -> None:
    closed = ["sh", "-c", 'exec "$@" <&-', "sh"]
    for command, said in ((("wizard",), "no terminal"), (("licence", "install", "-"), "not a licence file")):
        typed = [*closed, *children.printmonitor(*command, state=home)]
        ended = subprocess.run(typed, cwd=children.ROOT, capture_output=True, text=True, check=False)
        assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1), ended.stderr
        assert said in ended.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--query-every", "often"), '--query-every: schedule.query_every: "often" must be a number'),
        (("--range", "10.0.0.0/8"), "--range: discovery.entries 1"),
        (("--time-zone", "Mars/Olympus"), "--time-zone: schedule.time_zone"),
        (("--transmission", "pigeon"), "--transmission: transmission.mode"),
        (("--mail-port", "0"), "--mail-port: transmission.mail.port"),
        (("--mail-port", "x"), "--mail-port: x is no number"),
        (("--enrolment-url", "http://x.example"), "begins with https://"),
        (("--licence-file", "nowhere.pem"), "nowhere.pem: no such file"),
        (("--transmission", "mail"), "transmission.mail.host: is missing"),
        (("--licence", "maybe"), "invalid choice"),
        (("--licence-only", "--schedule-only"), "not allowed with"),
    ],
)
async def test_a_wrong_flag_changes_nothing(
    home: Path, authority: Authority, flags: tuple[str, ...], said: str
) -> None:
    code, out, err = await by_flags(home, authority, "--yes", *flags, *ENDING)
    assert code == 2
    assert said in err
    assert "Saved" not in out
    assert not (home / "settings.toml").exists()


async def test_control_c_leaves_everything_as_it_was(home: Path, authority: Authority) -> None:
    (home / "settings.toml").write_text('plug.site = "before"\n')
    person = Terminal(home, authority)
    await asyncio.to_thread(
        person.answers, ("Name of this site [before]", "after"), ("Addresses to search", "127.31.9.1")
    )
    await asyncio.to_thread(person.waits_for, "SNMP community")
    person.presses_control_c()
    assert await asyncio.to_thread(person.end) in (130, -signal.SIGINT)
    assert "Traceback" not in person.seen
    assert person.seen.endswith("nothing was changed\r\n")
    assert (home / "settings.toml").read_text() == 'plug.site = "before"\n'
    assert status.get_status(home, NOW).state == "none"


async def test_the_end_of_the_input_leaves_everything_as_it_was(home: Path, authority: Authority) -> None:
    person = Terminal(home, authority)
    await asyncio.to_thread(person.answers, ("Name of this site", "Zug"), ("Addresses", "\x04\x04"))
    await asyncio.to_thread(person.end)
    assert not (home / "settings.toml").exists()


async def test_a_second_time_offers_what_is_there(home: Path, authority: Authority) -> None:
    (home / "settings.toml").write_text(
        """
        plug.site = "Zug"
        schedule.query_every = "2h"
        discovery.exclusions = ["127.0.0.1"]
        transmission.mode = "mail"
        transmission.mail.host = "mail.example.com"
        transmission.mail.password = "hidden-word"
        transmission.mail.sender = "plug@example.com"
        transmission.mail.recipient = "cloud@example.com"
        [[discovery.entries]]
        addresses = "127.31.9.1"
        community_read = "one"
        [[discovery.entries]]
        addresses = "127.31.9.2"
        community_read = "two"
        [[discovery.entries]]
        addresses = "127.31.9.3"
        source = "import"
        """
    )
    before = settings(home)
    person = Terminal(home, authority, ENDING)
    await asyncio.to_thread(
        person.answers,
        ("[Zug]", ""),
        ("[127.31.9.1, 127.31.9.2]", ""),
        ("[one]", ""),
        ("[2h]", ""),
        ("[02:00]", ""),
        ("[Europe/Zurich]", ""),
        ("[mail]", ""),
        ("[mail.example.com]", ""),
        ("[25]", ""),
        ("[none]", ""),
        ("none)", ""),
        ("[kept]", ""),
        ("[plug@example.com]", ""),
        ("[cloud@example.com]", ""),
        ("Licence: online, by file, keep or later", "later"),
        ("Save this? [yes]", "maybe"),
        ("right would be yes", None),
        ("Save this? [yes]", "yes"),
    )
    assert await asyncio.to_thread(person.end) == 0
    assert "hidden-word" not in person.seen
    assert settings(home) == before


async def test_what_the_page_saves_meanwhile_stays(home: Path, authority: Authority) -> None:
    """Also where the offer, which is older, was taken."""
    person = Terminal(home, authority, ("--schedule-only",))
    await asyncio.to_thread(person.answers, ("[1h]", "2h"), ("(or never) [02:00]", ""))
    before = settings(home)
    schedule = replace(before.schedule, discover_at=("05:00",))
    schema.save_settings(
        Home(home), replace(before, schedule=schedule, plug=replace(before.plug, site="Zug"))
    )
    await asyncio.to_thread(person.answers, ("Time zone", ""), ("Save this?", "yes"))
    assert await asyncio.to_thread(person.end) == 0
    now = settings(home)
    assert (now.plug.site, now.schedule.query_every, now.schedule.discover_at) == ("Zug", "2h", ("05:00",))


async def test_where_the_licence_comes_from_is_checked_when_it_is_asked(
    home: Path, authority: Authority
) -> None:
    person = Terminal(home, authority, ("--licence-only",))
    await asyncio.to_thread(
        person.answers,
        ("Licence: online, by file, keep or later [online]", "Online"),
        ("The provider's enrolment URL (none: later) [none]", "http://provider.example/"),
        ("begins with https://", None),
        ("The provider's enrolment URL", "https://127.0.0.1:1/"),
        ("Enrolment code", "two words"),
        ("contains an invalid character", None),
        ("Enrolment code", "code"),
        ("Save this?", "no"),
    )
    assert await asyncio.to_thread(person.end) == 0
    person = Terminal(home, authority, ("--licence-only",))
    await asyncio.to_thread(
        person.answers,
        ("Licence: online, by file, keep or later", "file"),
        ("Licence file", "nowhere.pem"),
        ("nowhere.pem: no such file", None),
        ("Licence file", "none"),
        ("Save this?", "no"),
    )
    assert await asyncio.to_thread(person.end) == 0


async def test_without_a_url_the_licence_comes_later(home: Path, authority: Authority) -> None:
    person = Terminal(home, authority, ("--licence-only",))
    await asyncio.to_thread(
        person.answers, ("Licence: online", ""), ("enrolment URL (none: later)", ""), ("Save this?", "")
    )
    assert await asyncio.to_thread(person.end) == 0
    assert "later: printmonitor licence enrol" not in person.seen


async def test_answers_of_a_few_words_in_any_case(home: Path, authority: Authority) -> None:
    flags = ("--yes", "--transmission", "MAIL", "--mail-security", "STARTTLS", "--mail-host", "mail.example")
    more = ("--mail-sender", "a@b.example", "--mail-recipient", "c@d.example", "--licence", "later", *ENDING)
    code, _, err = await by_flags(home, authority, *flags, *more)
    assert code == 0, err
    assert settings(home).transmission.mail.security == "starttls"


async def test_no_is_an_answer(home: Path, authority: Authority) -> None:
    person = Terminal(home, authority, ("--schedule-only", "--query-every", "2h"))
    await asyncio.to_thread(
        person.answers, ("(or never) [02:00]", "never"), ("Time zone", ""), ("Save this?", "no")
    )
    assert await asyncio.to_thread(person.end) == 0
    assert "nothing was changed" in person.seen
    assert not (home / "settings.toml").exists()


async def test_the_schedule_alone(home: Path, authority: Authority) -> None:
    (home / "settings.toml").write_text('plug.site = "Zug"\n')
    flags = ("--schedule-only", "--query-every", "2h", "--discover-at", "06:00, 18:30", "--time-zone", "UTC")
    code, out, err = await by_flags(home, authority, *flags)
    assert (code, err) == (0, "")
    assert out == f"Saved in {home / 'settings.toml'}.\n"
    now = settings(home).schedule
    assert (now.query_every, now.discover_at, now.time_zone) == ("2h", ("06:00", "18:30"), "UTC")


async def test_the_licence_alone_by_file(home: Path, authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "licence.pem"
    file.write_bytes(licence(authority, home))
    code, out, _ = await by_flags(home, authority, "--licence-only", "--licence-file", str(file))
    assert (code, "is installed" in out) == (0, True)
    assert not (home / "settings.toml").exists()
    again, _, err = await by_flags(home, authority, "--licence-only", "--yes")
    assert (again, "valid until" in err) == (0, True)


async def test_a_licence_that_is_not_to_be_had_keeps_nobody_from_the_rest(
    home: Path, authority: Authority
) -> None:
    flags = ("--yes", "--site", "Zug", "--enrolment-url", "https://127.0.0.1:1/", "--code", "code", *ENDING)
    code, out, err = await by_flags(home, authority, *flags)
    assert (code, "Saved in" in out) == (3, True)
    assert "no licence: 127.0.0.1:1: connection refused; later: printmonitor licence enrol" in err
    assert settings(home).plug.site == "Zug"


def test_every_question_is_a_flag() -> None:
    assert [question.name for question in wizard_questions.build_questions()] == list(
        common_arguments.WIZARD_FLAGS
    )
