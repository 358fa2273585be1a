"""What SNMP messages cost in processor time: our codec beside aiosnmp's, on full packets."""

import statistics
import time
from collections.abc import Callable

from aiosnmp.message import GetRequest, GetResponse, SnmpMessage, SnmpResponse, SnmpVarbind, SnmpVersion

from appliance.snmp import ber

ROUNDS = 300
ROWS = 62  # of prtMarkerSuppliesTable, for a response of some 1,400 bytes


def run() -> list[tuple[str, str]]:
    """Rows of a table: what was measured, with medians of one run."""
    names = [(1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 2 + row % 8, 1, 1 + row // 8) for row in range(ROWS)]
    values: list[int | bytes] = [b"Toner" if row % 4 == 0 else row * 1_000 for row in range(ROWS)]
    dotted = [".".join(map(str, name)) for name in names]
    response = SnmpMessage(
        SnmpVersion.v2c,
        "public",
        GetResponse([SnmpVarbind(name, value) for name, value in zip(dotted, values, strict=True)]),
    ).encode()

    def aiosnmp_request() -> object:
        return SnmpMessage(
            SnmpVersion.v2c, "public", GetRequest([SnmpVarbind(name) for name in dotted])
        ).encode()

    def our_request() -> object:
        return ber.encode_request(
            "get", names, version="2", community="public", request_id=ber.MAX_REQUEST_ID
        )

    def our_first_request() -> object:
        ber.encode_request.__globals__[
            "_encode_request_parts"
        ].cache_clear()  # as for a model that was not asked before
        return our_request()

    size = f"{len(response):,} bytes, {ROWS} objects"
    return [
        _row(
            f"decode a response of {size}",
            lambda: SnmpResponse.decode(response),
            lambda: ber.decode_message(response),
        ),
        _row(f"encode a request for {ROWS} objects", aiosnmp_request, our_first_request),
        _row("the same for the next printer of the model", aiosnmp_request, our_request),
    ]


def _row(what: str, theirs: Callable[[], object], ours: Callable[[], object]) -> tuple[str, str]:
    """Both in turns, so that whatever else the machine does meets both."""
    pairs = [(_seconds(theirs), _seconds(ours)) for _ in range(ROUNDS)]
    slow, quick = (statistics.median(side) for side in zip(*pairs, strict=True))
    return what, f"{quick * 1e6:,.0f} µs; aiosnmp {slow * 1e6:,.0f} µs, {slow / quick:.1f} times as long"


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    for what, figure in run():
        print(f"{what}: {figure}")
