"""CPCA: frames to the octet, and an echo that noise cannot fake."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.collector import canon_cpca
from appliance.collector.canon_cpca import CpcaFrame, CpcaFrameError, CpcaNoResponseError
from tests.fakes.cpca import Cpca

ADDRESS = "127.0.9.5"
QUICK = 0.1  # seconds
POLL = bytes.fromhex("cdca1004001d002a0008" + "00" * 10 + "00000259000c0101")  # as captured from a driver


def test_a_captured_request() -> None:
    frame = CpcaFrame(0x1D, POLL[20:], sequence=42, flags=0x04)
    assert canon_cpca.encode_frame(frame) == POLL
    assert canon_cpca.decode_frame(POLL) == frame


@given(
    st.builds(
        CpcaFrame,
        operation=st.integers(0, 0xFFFF),
        payload=st.binary(max_size=100),
        sequence=st.integers(0, 0xFFFF),
        flags=st.integers(0, 0xFF),
        user_id=st.integers(0, 0xFFFFFFFF),
        password=st.integers(0, 0xFFFFFFFF),
        status=st.integers(0, 0xFFFF),
    )
)
def test_there_and_back(frame: CpcaFrame) -> None:
    assert canon_cpca.decode_frame(canon_cpca.encode_frame(frame)) == frame


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda data: POLL[:10] + data))
def test_other_octets_are_no_frame(data: bytes) -> None:
    try:
        frame = canon_cpca.decode_frame(data)
    except CpcaFrameError:
        return
    assert canon_cpca.encode_frame(frame) == data


def test_a_payload_that_fits_no_frame() -> None:
    with pytest.raises(CpcaFrameError):
        canon_cpca.encode_frame(CpcaFrame(canon_cpca.ECHO, bytes(70_000)))


@pytest.mark.parametrize("wants", [(0x00,), (0x04,)])
async def test_echo(wants: tuple[int, ...]) -> None:
    async with Cpca(ADDRESS, wants=wants) as printer:
        seconds = await canon_cpca.measure_echo(ADDRESS, port=printer.port, timeout_s=QUICK)

    assert 0 < seconds < 5
    assert set(printer.wrong) <= {"flags 0x0", "flags 0x4"}


@pytest.mark.parametrize("spoil", ["noise first", "twice"])
async def test_noise_beside_the_answer(spoil: str) -> None:
    async with Cpca(ADDRESS, spoil=spoil) as printer:
        assert await canon_cpca.measure_echo(ADDRESS, port=printer.port, timeout_s=QUICK) > 0


@pytest.mark.parametrize(
    "spoil", ["magic", "version", "operation", "sequence", "length", "short", "empty", "payload"]
)
async def test_a_bent_answer_is_none(spoil: str) -> None:
    async with Cpca(ADDRESS, spoil=spoil) as printer:
        with pytest.raises(CpcaNoResponseError):
            await canon_cpca.measure_echo(ADDRESS, port=printer.port, timeout_s=0.03)


async def test_a_lost_request_is_sent_again() -> None:
    async with Cpca(ADDRESS, lose=2) as printer:
        await canon_cpca.measure_echo(ADDRESS, port=printer.port, timeout_s=QUICK)

    assert len(printer.requests) == 3


async def test_silence_has_an_end() -> None:
    async with Cpca(ADDRESS, lose=99) as printer:
        started = time.monotonic()
        with pytest.raises(CpcaNoResponseError, match="silent"):
            await canon_cpca.measure_echo(ADDRESS, port=printer.port, timeout_s=0.03)
        assert time.monotonic() - started < 1

    assert len(printer.requests) == len(canon_cpca.FLAGS_PER_TRY)


async def test_a_closed_port_is_known_at_once() -> None:
    async with Cpca(ADDRESS) as printer:
        pass
    started = time.monotonic()
    with pytest.raises(CpcaNoResponseError, match="closed"):
        await canon_cpca.measure_echo(ADDRESS, port=printer.port)
    assert time.monotonic() - started < canon_cpca.TRY_TIMEOUT_S
