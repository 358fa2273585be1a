"""`printmonitor licence` as people type it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.licensing import csr
from tests import children
from tests.licensing.licences import DAY, NOW, TERMS, licence
from tests.provider import server
from tests.provider.authority import Authority
from tests.provider.server import Fault, Offer


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


async def typed(*arguments: str, state: Path, authority: Authority, stdin: bytes = b"") -> Ended:
    process = await asyncio.create_subprocess_exec(
        *children.printmonitor(*arguments, state=state),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=children.ROOT,
        env=children.environment({"PRINTMONITOR_VENDOR_CA": str(authority.ca_file), "COLUMNS": "80"}),
    )
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    assert b"Traceback" not in err
    return Ended(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def provider(authority: Authority) -> AsyncIterator[server.Enrolment]:
    async with server.Enrolment(authority, {"code"}, Offer("https://127.0.0.1/parcels")) as running:
        yield running


def trusting(home: Path, authority: Authority) -> None:
    (home / "settings.toml").write_text(f'transmission.https.ca_file = "{authority.ca_file}"\n')


async def test_by_file_through_another_computer(home: Path, authority: Authority, tmp_path: Path) -> None:
    carried, answer = tmp_path / "request.pem", tmp_path / "licence.pem"
    asked = await typed("licence", "request", "--output", str(carried), state=home, authority=authority)
    assert asked.code == 0
    again = await typed("licence", "request", state=home, authority=authority)
    assert again.out == carried.read_text()  # the request is the same however often it is asked for
    shown = await typed("licence", state=home, authority=authority)
    assert shown.out.startswith("Licence       requested on")
    answer.write_bytes(authority.licence(carried.read_bytes(), TERMS, NOW - DAY, NOW + 99 * DAY))
    installed = await typed("licence", "install", str(answer), state=home, authority=authority)
    assert installed.code == 0
    assert "The licence of Example AG for printmonitor-" in installed.out
    assert "transmission is switched off: nothing is sent" in installed.err
    document = json.loads((await typed("licence", "--json", state=home, authority=authority)).out)
    assert (document["state"], document["printers"], document["sends"]) == ("valid", 50, True)
    assert str(TERMS["transmission_key"]) not in json.dumps(document)


async def test_from_standard_input(home: Path, authority: Authority) -> None:
    data = licence(authority, home)
    ended = await typed("licence", "install", "-", state=home, authority=authority, stdin=data)
    assert ended.code == 0
    shown = (await typed("licence", state=home, authority=authority)).out.splitlines()
    assert shown[1] == "Plug          printmonitor-4f2a91"
    assert "Parcels to    https://cloud.example.com/parcels" in shown
    assert not any("a-secret-key" in line for line in shown)


async def test_status_tells_of_it(home: Path, authority: Authority) -> None:
    (home / "settings.toml").write_text('transmission.mode = "https"\n')
    data = licence(authority, home, start=NOW - 9 * DAY, end=NOW + 2 * DAY)
    await typed("licence", "install", "-", state=home, authority=authority, stdin=data)
    shown = (await typed("status", state=home, authority=authority)).out.splitlines()
    assert f"Licence       the licence ends on {NOW + 2 * DAY:%Y-%m-%d}" in shown
    assert "Transmission  https to https://cloud.example.com/parcels" in shown
    (home / "tls" / "licence" / "licence.pem").write_text("damaged")
    shown = (await typed("status", state=home, authority=authority)).out.splitlines()
    assert "Transmission  https, but nothing is sent: see the licence" in shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "this is not a licence file: it needs the Plug's certificate"),
        (b"\xff\xfe\x00\x1b[2J", "is no text"),
        (b"A" * 1_000_000, "has more than 65,536 bytes"),
    ],
)
async def test_what_is_no_licence_is_one_line(
    home: Path, authority: Authority, content: bytes, said: str
) -> None:
    ended = await typed("licence", "install", "-", state=home, authority=authority, stdin=content)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert said in ended.err


async def test_mistakes_are_one_line(home: Path, authority: Authority, tmp_path: Path) -> None:
    for arguments, said in (
        (("install",), "needs the licence file"),
        (("install", str(tmp_path / "missing.pem")), "No such file"),
        (("install", str(tmp_path)), "Is a directory"),
        (("enrol",), "enrolment URL is missing (--url)"),
        (("enrol", "--url", "http://127.0.0.1/"), "only https:// is allowed"),
    ):
        ended = await typed("licence", *arguments, state=home, authority=authority)
        assert (ended.code, len(ended.err.splitlines())) == (2, 1), ended
        assert said in ended.err


async def test_online(home: Path, authority: Authority, provider: server.Enrolment) -> None:
    trusting(home, authority)
    enrol = ("licence", "enrol", "--url", provider.url, "--code")
    wrong = await typed(*enrol, "other", state=home, authority=authority)
    assert (wrong.code, wrong.err) == (
        3,
        "no licence: the server answered 403 Forbidden: unknown enrolment code\n",
    )
    assert (await typed(*enrol, "code", state=home, authority=authority)).code == 0
    renewed = await typed("licence", "enrol", state=home, authority=authority)
    assert renewed.code == 0
    assert provider.asked[-1][0].startswith("printmonitor-")


async def test_an_undecided_provider_is_asked_again(
    home: Path, authority: Authority, provider: server.Enrolment
) -> None:
    trusting(home, authority)
    provider.faults.append(Fault(202))
    first = await typed(
        "licence", "enrol", "--url", provider.url, "--code", "code", state=home, authority=authority
    )
    assert (first.code, "has not decided yet" in first.out) == (0, True)
    assert csr.load_enrolment(home) is not None
    second = await typed("licence", "enrol", state=home, authority=authority)
    assert (second.code, "is installed" in second.out) == (0, True)


async def test_a_provider_that_cannot_be_reached_is_asked_again(
    home: Path, authority: Authority, provider: server.Enrolment
) -> None:
    trusting(home, authority)
    provider.faults.append(Fault(503))
    flags = ("licence", "enrol", "--url", provider.url, "--code", "code")
    assert (await typed(*flags, state=home, authority=authority)).code == 3
    assert (await typed("licence", "enrol", state=home, authority=authority)).code == 0


async def test_a_revoked_licence_says_so(
    home: Path, authority: Authority, provider: server.Enrolment
) -> None:
    trusting(home, authority)
    provider.faults.append(Fault(410, "the contract has ended"))
    ended = await typed(
        "licence", "enrol", "--url", provider.url, "--code", "code", state=home, authority=authority
    )
    assert (ended.code, ended.err) == (3, "no licence: the contract has ended\n")


def test_the_provider_s_own_command(home: Path, tmp_path: Path) -> None:
    """What a developer types."""

    def provide(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [sys.executable, "-m", "tests.provider", str(tmp_path / "provider"), *arguments],
            cwd=children.ROOT,
            env=children.environment(),
            capture_output=True,
            check=False,
        )

    named = provide("init").stdout.decode().strip()
    assert named == f"PRINTMONITOR_VENDOR_CA={tmp_path / 'provider' / 'vendor-ca.pem'}"
    carried = tmp_path / "request.pem"
    carried.write_text(csr.get_or_create(home, "printmonitor-4f2a91").pem)
    signed = provide("sign", str(carried), "--upload-url", "https://127.0.0.1/")
    assert signed.stdout.count(b"-----BEGIN") == 2
    assert provide("revoke", "printmonitor-4f2a91").returncode == 0
    refused = provide("sign", str(carried), "--upload-url", "https://127.0.0.1/")
    assert (refused.returncode, refused.stderr) == (2, b"provider: printmonitor-4f2a91 is revoked\n")
