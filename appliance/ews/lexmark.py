"""Lexmark: the device statistics of its older web pages, the JSON of its newer ones.

The older page is a long list of labels in the panel's language; only order and indent tell what a number
counts: "Print", "Copy" and "Fax" are neighbours with the same inner labels (mono, colour where there is any,
their total), so they are known by their shape. That the last number is the sum of the others proves each.
The newer pages tell guests who the printer is and what is left of its supplies; the component that holds
their counters is not public, so those come by SNMP.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.domain.model import CounterName
from appliance.ews import html_tables
from appliance.ews.html_tables import Row
from appliance.ews.http_client import Answer, Client, Credentials
from appliance.ews.number_parser import count
from appliance.ews.result import Locked, NoPage, Page

STATISTICS = "/cgi-bin/dynamic/printer/config/reports/devicestatistics.html"
STATUS = "/webglue/rawcontent?timedRefresh=1&c=Status&lang=en"
LOGIN_METHOD = "/webglue/rawcontent?c=LoginMethod&lang=en"
SESSION = "/webglue/session/create"

PASSWORD, NAME_AND_PASSWORD = 2, 0  # types of login methods
MOST_SUPPLIES = 50
NEAR = 0.05  # share by which the functions' sum may differ from the printer's total: reports belong to none
NEAR_PAGES = 100

PAPER = re.compile(r"[\d/()\u2013\u2014-]")  # in "A4 - Plain", never in the words for mono, colour, total
FUNCTIONS: tuple[tuple[CounterName | None, CounterName | None, CounterName], ...] = (
    (CounterName.PRINT_BLACK, CounterName.PRINT_FULL_COLOR, CounterName.PRINT_TOTAL),
    (CounterName.COPY_BLACK, CounterName.COPY_FULL_COLOR, CounterName.COPY_TOTAL),
    (None, None, CounterName.FAX),
)

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


async def read(client: Client, path: str = "", total: int | None = None) -> Page:
    """What the pages say; `total` is what the printer has counted in all, as far as it is known."""
    for place in dict.fromkeys((path or STATISTICS, STATISTICS, STATUS)):
        answer = await client.get(place)
        if place == STATISTICS and answer.status == 200:
            counters = statistics(answer.text, total)
            if counters:
                return Page(STATISTICS, counters)
        if place == STATUS:
            return await _status(client, answer)
    raise NoPage("the printer has no page that is known")


# The older pages


@dataclass(frozen=True, slots=True)
class Block:
    """A heading with nothing but numbers below it."""

    labels: tuple[str, ...]
    values: tuple[int, ...]

    @property
    def is_function(self) -> bool:
        """Mono, colour if there is any, and their total."""
        return (
            len(self.values) in (2, 3)
            and self.values[-1] == sum(self.values[:-1])
            and not any(PAPER.search(label) for label in self.labels)
        )


def statistics(page: str, total: int | None) -> dict[CounterName, int]:
    """The counters of the device statistics; {} where no numbers have their shape."""
    runs = [
        run
        for run in _runs(html_tables.rows(page))
        if sum(block.values[-1] for block in run) > 0 and _fits(run, total)
    ]
    if not runs:
        return {}
    # What was printed comes after what was picked from the trays, sides come after sheets.
    longest = max(enumerate(runs), key=lambda numbered: (len(numbered[1]), numbered[0]))[1]
    found: dict[CounterName, int] = {}
    for block, (black, color, whole) in zip(longest, FUNCTIONS, strict=False):
        found[whole] = block.values[-1]
        if black is not None:
            found[black] = block.values[0]
        if color is not None and len(block.values) == 3:
            found[color] = block.values[1]
    return found


def _fits(run: Sequence[Block], total: int | None) -> bool:
    if total is None:
        return True
    return abs(sum(block.values[-1] for block in run) - total) <= max(NEAR * total, NEAR_PAGES)


def _runs(rows: Sequence[Row]) -> Iterator[list[Block]]:
    """Neighbours of the same shape, where these are the first ones below their heading."""
    for blocks in _families(rows):
        run: list[Block] = []
        for block in blocks:
            if block is None or not block.is_function or (run and block.labels != run[0].labels):
                break
            run.append(block)
        if run:
            yield run


def _families(rows: Sequence[Row]) -> Iterator[list[Block | None]]:
    """The headings below each heading, in the order of the page."""
    families: dict[int, list[Block | None]] = {}
    above: list[int] = []  # the headings that the present row stands under, outermost first
    for at, row in enumerate(rows):
        if row.value or not row.label:
            continue
        while above and rows[above[-1]].indent >= row.indent:
            above.pop()
        families.setdefault(above[-1] if above else -1, []).append(_block(rows, at))
        above.append(at)
    yield from families.values()


def _block(rows: Sequence[Row], at: int) -> Block | None:
    """The heading's numbers, unless there is anything else below it."""
    labels: list[str] = []
    values: list[int] = []
    for below in range(at + 1, len(rows)):
        row = rows[below]
        if row.indent <= rows[at].indent:
            break
        value = count(row.value)
        if value is None or len(values) == 3:
            return None
        labels.append(row.label)
        values.append(value)
    return Block(tuple(labels), tuple(values)) if values else None


# The newer pages


async def _status(client: Client, answer: Answer) -> Page:
    if answer.status in (401, 403):
        await _log_in(client)
        answer = await client.get(STATUS)
        if answer.status in (401, 403):
            raise client.refuse()
    page = status(answer.body) if answer.status == 200 else None
    if page is None:
        raise NoPage("the printer has no page that is known")
    return page


def status(body: bytes) -> Page | None:
    """Who the printer is and what is left; None where this is no such document."""
    nodes = _at(_json(body), "nodes")
    if not isinstance(nodes, dict):
        return None
    levels: dict[str, int] = {}
    supplies = nodes.get("supplies")
    for name, supply in list(supplies.items())[:MOST_SUPPLIES] if isinstance(supplies, dict) else ():
        percent = _at(supply, "percentFull")
        if isinstance(percent, int) and not isinstance(percent, bool) and 0 <= percent <= 100:
            levels[name] = percent
    return Page(
        STATUS,
        serial_number=_text(_at(nodes, "nodes", "DeviceSerialNumberLxk", "text", "text")),
        firmware=_text(_at(nodes, "nodes", "DeviceFirmwareLevel", "text", "text")),
        levels=levels,
    )


async def _log_in(client: Client) -> None:
    """Opens a session. `status` 0 in the answer is said of failures too: only a key is a session."""
    credentials = client.credentials()
    await client.secure()
    wanted = _creds(_json((await client.get(LOGIN_METHOD)).body), credentials)
    answer = _json((await client.post(SESSION, {"data": json.dumps(wanted)})).body)
    cookies = {
        name: value
        for name in ("sessionId", "sessionKey", "sessionName")
        if (value := _text(_at(answer, name)))
    }
    if "sessionKey" not in cookies or _at(answer, "error"):
        raise client.refuse()
    client.give_cookies(cookies)


def _creds(methods: Json, credentials: Credentials) -> dict[str, Json]:
    """The login that the printer offers: with a name where the entry has one, else the password alone."""
    wanted = NAME_AND_PASSWORD if credentials.username else PASSWORD
    offered = _find(methods, "lms")
    for method in offered if isinstance(offered, list) else ():
        kind, number = _at(method, "lmtype"), _at(method, "lmid")
        if kind == wanted and isinstance(number, int):
            break
    else:
        if isinstance(offered, list) and offered and wanted == NAME_AND_PASSWORD:
            return _creds(methods, Credentials("", credentials.password))
        if isinstance(offered, list) and offered:
            raise Locked("the web page wants a login in a way that is not known")
        kind, number = wanted, -1
    creds: dict[str, Json] = {"password": credentials.password}
    if wanted == NAME_AND_PASSWORD:
        creds["username"] = credentials.username
    return {"authtype": kind, "authId": number, "creds": creds}


def _json(body: bytes) -> Json:
    try:
        found: Json = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found


def _at(value: Json, *names: str) -> Json:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _find(value: Json, name: str, depth: int = 6) -> Json:
    """The first member of that name, not deeper than a few levels."""
    if not isinstance(value, dict) or depth == 0:
        return None
    if name in value:
        return value[name]
    for member in value.values():
        found = _find(member, name, depth - 1)
        if found is not None:
            return found
    return None


def _text(value: Json) -> str | None:
    return value.strip() or None if isinstance(value, str) and len(value) <= 200 else None
