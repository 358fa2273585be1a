"""Read a Lexmark's device statistics (older web pages) or its status as JSON (newer ones).

The older page is a long list of labels in the panel's language, so numbers are identified by order and
indent: "Print", "Copy" and "Fax" are neighbours with the same inner labels (mono, colour if any, their
total), and the last number has to be the sum of the others. The newer pages give guests the identity and the
supply levels; the component with their counters is not public, so counters come by SNMP.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.domain.messages import Message
from appliance.domain.model import CounterName
from appliance.ews import html_tables
from appliance.ews.errors import EwsLoginRequiredError, EwsUnavailableError
from appliance.ews.html_tables import HtmlRow, parse_count
from appliance.ews.http_client import EwsClient, EwsResponse
from appliance.ews.models import EwsCredentials, EwsData

STATISTICS_PATH = "/cgi-bin/dynamic/printer/config/reports/devicestatistics.html"
STATUS_PATH = "/webglue/rawcontent?timedRefresh=1&c=Status&lang=en"
LOGIN_METHOD_PATH = "/webglue/rawcontent?c=LoginMethod&lang=en"
SESSION_PATH = "/webglue/session/create"

PASSWORD_METHOD, NAME_AND_PASSWORD_METHOD = 2, 0  # types of login methods
MAX_SUPPLIES = 50
SUM_TOLERANCE_SHARE = 0.05  # of the total: reports, for instance, belong to no function
SUM_TOLERANCE_PAGES = 100

# Matches labels such as "A4 - Plain", but not the words for mono, colour and total in any language.
PAPER_LABEL_PATTERN = re.compile(r"[\d/()\u2013\u2014-]")
FUNCTION_COUNTERS: tuple[tuple[CounterName | None, CounterName | None, CounterName], ...] = (
    (CounterName.PRINT_BLACK, CounterName.PRINT_FULL_COLOR, CounterName.PRINT_TOTAL),
    (CounterName.COPY_BLACK, CounterName.COPY_FULL_COLOR, CounterName.COPY_TOTAL),
    (None, None, CounterName.FAX),
)

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


async def read_counters(client: EwsClient, path: str = "", total: int | None = None) -> EwsData:
    """Return counters, or identity and levels; `total` is that of SNMP, if known. Raises EwsError."""
    for page_path in dict.fromkeys((path or STATISTICS_PATH, STATISTICS_PATH, STATUS_PATH)):
        response = await client.get(page_path)
        if page_path == STATISTICS_PATH and response.status == 200:
            counters = parse_statistics(response.text, total)
            if counters:
                return EwsData(STATISTICS_PATH, counters)
        if page_path == STATUS_PATH:
            return await _read_status(client, response)
    raise EwsUnavailableError(Message("ews.unknown_pages"))


# The older pages


@dataclass(frozen=True, slots=True)
class StatisticsBlock:
    """The numbers below a heading, which has nothing else below it."""

    labels: tuple[str, ...]
    values: tuple[int, ...]

    @property
    def is_function_block(self) -> bool:
        """True for mono, colour if there is any, and their sum."""
        return (
            len(self.values) in (2, 3)
            and self.values[-1] == sum(self.values[:-1])
            and not any(PAPER_LABEL_PATTERN.search(label) for label in self.labels)
        )


def parse_statistics(html: str, total: int | None) -> dict[CounterName, int]:
    """Return the counters of the device statistics, {} if no numbers have the expected shape."""
    runs = [
        run
        for run in _function_sequences(html_tables.parse_table_rows(html))
        if sum(block.values[-1] for block in run) > 0 and _matches_total(run, total)
    ]
    if not runs:
        return {}
    # Printed pages come after pages picked from the trays, and sides after sheets.
    longest = max(enumerate(runs), key=lambda numbered: (len(numbered[1]), numbered[0]))[1]
    counters: dict[CounterName, int] = {}
    for block, (black, color, whole) in zip(longest, FUNCTION_COUNTERS, strict=False):
        counters[whole] = block.values[-1]
        if black is not None:
            counters[black] = block.values[0]
        if color is not None and len(block.values) == 3:
            counters[color] = block.values[1]
    return counters


def _matches_total(blocks: Sequence[StatisticsBlock], total: int | None) -> bool:
    if total is None:
        return True
    return abs(sum(block.values[-1] for block in blocks) - total) <= max(
        SUM_TOLERANCE_SHARE * total, SUM_TOLERANCE_PAGES
    )


def _function_sequences(rows: Sequence[HtmlRow]) -> Iterator[list[StatisticsBlock]]:
    """Yield neighbours of the same shape that are the first blocks below their heading."""
    for blocks in _blocks_by_heading(rows):
        run: list[StatisticsBlock] = []
        for block in blocks:
            if block is None or not block.is_function_block or (run and block.labels != run[0].labels):
                break
            run.append(block)
        if run:
            yield run


def _blocks_by_heading(rows: Sequence[HtmlRow]) -> Iterator[list[StatisticsBlock | None]]:
    """Yield the blocks below each heading, in the order of the page."""
    families: dict[int, list[StatisticsBlock | None]] = {}
    above: list[int] = []  # indexes of the headings above the current row, outermost first
    for index, row in enumerate(rows):
        if row.value or not row.label:
            continue
        while above and rows[above[-1]].indent >= row.indent:
            above.pop()
        families.setdefault(above[-1] if above else -1, []).append(_parse_block(rows, index))
        above.append(index)
    yield from families.values()


def _parse_block(rows: Sequence[HtmlRow], heading_index: int) -> StatisticsBlock | None:
    """Return the numbers below a heading, or None if there is anything else below it."""
    labels: list[str] = []
    values: list[int] = []
    for below in range(heading_index + 1, len(rows)):
        row = rows[below]
        if row.indent <= rows[heading_index].indent:
            break
        value = parse_count(row.value)
        if value is None or len(values) == 3:
            return None
        labels.append(row.label)
        values.append(value)
    return StatisticsBlock(tuple(labels), tuple(values)) if values else None


# The newer pages


async def _read_status(client: EwsClient, response: EwsResponse) -> EwsData:
    if response.status in (401, 403):
        await _log_in(client)
        response = await client.get(STATUS_PATH)
        if response.status in (401, 403):
            raise client.rejected_error()
    data = parse_status(response.body) if response.status == 200 else None
    if data is None:
        raise EwsUnavailableError(Message("ews.unknown_pages"))
    return data


def parse_status(body: bytes) -> EwsData | None:
    """Return identity and supply levels, or None if the body is not such a document."""
    nodes = _get_nested(_parse_json(body), "nodes")
    if not isinstance(nodes, dict):
        return None
    levels: dict[str, int] = {}
    supplies = nodes.get("supplies")
    for name, supply in list(supplies.items())[:MAX_SUPPLIES] if isinstance(supplies, dict) else ():
        percent = _get_nested(supply, "percentFull")
        if isinstance(percent, int) and not isinstance(percent, bool) and 0 <= percent <= 100:
            levels[name] = percent
    return EwsData(
        STATUS_PATH,
        serial_number=_short_text(_get_nested(nodes, "nodes", "DeviceSerialNumberLxk", "text", "text")),
        firmware=_short_text(_get_nested(nodes, "nodes", "DeviceFirmwareLevel", "text", "text")),
        levels=levels,
    )


async def _log_in(client: EwsClient) -> None:
    """Open a session. Failures also have `status` 0 in the response: only a key means success."""
    credentials = client.require_credentials()
    await client.switch_to_https()
    login = _build_login(_parse_json((await client.get(LOGIN_METHOD_PATH)).body), credentials)
    answer = _parse_json((await client.post(SESSION_PATH, {"data": json.dumps(login)})).body)
    cookies = {
        name: value
        for name in ("sessionId", "sessionKey", "sessionName")
        if (value := _short_text(_get_nested(answer, name)))
    }
    if "sessionKey" not in cookies or _get_nested(answer, "error"):
        raise client.rejected_error()
    client.set_cookies(cookies)


def _build_login(methods: Json, credentials: EwsCredentials) -> dict[str, Json]:
    """Return a login by a method that the printer offers: by name and password, else by password alone."""
    method_type = NAME_AND_PASSWORD_METHOD if credentials.username else PASSWORD_METHOD
    offered = _find_member(methods, "lms")
    for method in offered if isinstance(offered, list) else ():
        kind, number = _get_nested(method, "lmtype"), _get_nested(method, "lmid")
        if kind == method_type and isinstance(number, int):
            break
    else:
        if isinstance(offered, list) and offered and method_type == NAME_AND_PASSWORD_METHOD:
            return _build_login(methods, EwsCredentials("", credentials.password))
        if isinstance(offered, list) and offered:
            raise EwsLoginRequiredError(Message("ews.unknown_login"))
        kind, number = method_type, -1
    creds: dict[str, Json] = {"password": credentials.password}
    if method_type == NAME_AND_PASSWORD_METHOD:
        creds["username"] = credentials.username
    return {"authtype": kind, "authId": number, "creds": creds}


def _parse_json(body: bytes) -> Json:
    try:
        document: Json = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document


def _get_nested(value: Json, *names: str) -> Json:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _find_member(value: Json, name: str, depth: int = 6) -> Json:
    """Return the first member of that name within a few levels."""
    if not isinstance(value, dict) or depth == 0:
        return None
    if name in value:
        return value[name]
    for member in value.values():
        inner = _find_member(member, name, depth - 1)
        if inner is not None:
            return inner
    return None


def _short_text(value: Json) -> str | None:
    return value.strip() or None if isinstance(value, str) and len(value) <= 200 else None
