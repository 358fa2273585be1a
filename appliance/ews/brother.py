"""Brother: the maintenance information, as CSV or as a page, behind a login where the printer wants one.

`/etc/mnt_info.csv` holds a line of names, which are English whatever the panel speaks, then a line of values;
both end with a comma, texts are in HP Roman-8. Which columns there are depends on the model: print-only
models lack Copy and Print, only multifunction ones have Fax. `/general/information.html?kind=item` says the
same in HTML, in the language of the web pages; only English is understood there.
"""

import csv
from collections.abc import Iterable, Mapping

from appliance.domain.model import CounterName
from appliance.ews import html_tables
from appliance.ews.html_tables import HtmlRow
from appliance.ews.http_client import EwsClient, EwsResponse
from appliance.ews.number_parser import parse_count
from appliance.ews.result import EwsData, EwsLoginRequiredError, EwsUnavailableError

CSV_PATH = "/etc/mnt_info.csv"
INFORMATION_PATH = "/general/information.html?kind=item"
LOGIN_PATHS = ("/general/status.html", "/home/status.html")  # older, newer firmware
LOGIN_FAILED_MARK = "passerror"  # in the path, or "Password Error" in the text of the page that says so

MAX_CSV_COLUMNS = 500

COUNTER_BY_COLUMN = {  # by column name in lower case, without blanks; the first of a name counts
    "pagecounter": CounterName.TOTAL,
    "total2-sidedprint": CounterName.DUPLEX,
    "copy": CounterName.COPY_TOTAL,
    "print": CounterName.PRINT_TOTAL,
    "fax": CounterName.FAX,
    "scanpagecount": CounterName.SCAN,
}
MONO_TONER_COLUMN = "replacecount(toner)"  # a printer with one toner; with four, each column names its colour
BLACK_COUNTER_OF_TOTAL = {
    CounterName.COPY_TOTAL: CounterName.COPY_BLACK,
    CounterName.PRINT_TOTAL: CounterName.PRINT_BLACK,
}


async def read_counters(client: EwsClient, path: str = "", _: int | None = None) -> EwsData:
    """The counters, from `path` where it is known, else from the first place that has them."""
    locked = False
    for place in dict.fromkeys((path or CSV_PATH, CSV_PATH, INFORMATION_PATH)):
        answer = await client.get(place)
        page = _parse_response(place, answer)
        if page is not None:
            return page
        locked |= _requires_login(answer)
        if locked:
            break
    if not locked:
        raise EwsUnavailableError("the printer has no page with counters")
    return await _read_after_login(client)


async def _read_after_login(client: EwsClient) -> EwsData:
    await _log_in(client)
    for place in (CSV_PATH, INFORMATION_PATH):
        answer = await client.get(place)
        page = _parse_response(place, answer)
        if page is not None:
            return page
        if _requires_login(answer):
            raise client.rejected_error()
    raise EwsUnavailableError("the printer has no page with counters, even after login")


async def _log_in(client: EwsClient) -> None:
    """Fills in the status page's form; the name of its field differs from firmware to firmware."""
    credentials = client.require_credentials()
    await client.switch_to_https()
    for place in LOGIN_PATHS:
        answer = await client.get(place)
        fields = html_tables.parse_form_fields(answer.text) if answer.status == 200 else []
        box = next((field.name for field in fields if field.type == "password" and field.name), None)
        if box is None:
            continue
        form = {field.name: field.value for field in fields if field.name == "CSRFToken"}
        form |= {box: credentials.password, "loginurl": INFORMATION_PATH}
        answer = await client.post(answer.path, form)
        if LOGIN_FAILED_MARK in answer.path or "Password Error" in _response_text(answer):
            raise client.rejected_error()
        return
    raise EwsLoginRequiredError("the web page wants a login in a way that is not known")


def _parse_response(path: str, response: EwsResponse) -> EwsData | None:
    if response.status != 200:
        return None
    values = parse_csv(response.body) if path == CSV_PATH else parse_information_html(response.text)
    if values is None:
        return None
    return EwsData(
        path=path,
        counters=extract_counters(values),
        serial_number=values.get("serialno.") or None,
        firmware=values.get("mainfirmwareversion") or None,
    )


def parse_csv(body: bytes) -> dict[str, str] | None:
    """The columns of the CSV by name; None where the bytes are no such CSV."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("hp-roman8", "replace")
    try:
        lines = [line for line in csv.reader(text.splitlines()[:4]) if any(line)]
    except csv.Error:
        return None
    if len(lines) < 2 or len(lines[0]) > MAX_CSV_COLUMNS:
        return None
    values = _first_by_name(zip(lines[0], lines[1], strict=False))
    return values if "pagecounter" in values or "serialno." in values else None


def parse_information_html(html: str) -> dict[str, str] | None:
    """The same from the page, without what was scanned: that bears the names of what was printed."""
    rows = [row for row in html_tables.parse_definition_lists(html) if "scan" not in row.group.lower()]
    values = _first_by_name((_csv_column_name(row), row.value) for row in rows)
    return values if "pagecounter" in values else None


def _csv_column_name(row: HtmlRow) -> str:
    """What the CSV would call it."""
    return f"{row.group}({row.label})" if row.group == "Replace Count" else row.label


def extract_counters(values: Mapping[str, str]) -> dict[CounterName, int]:
    """What the columns count."""
    found = {
        name: value
        for column, name in COUNTER_BY_COLUMN.items()
        if column in values and (value := parse_count(values[column])) is not None
    }
    if MONO_TONER_COLUMN in values:
        found |= {black: found[total] for total, black in BLACK_COUNTER_OF_TOTAL.items() if total in found}
    return found


def _first_by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault("".join(name.lower().split()), value.strip())
    values.pop("", None)  # what comes after the last comma
    return values


def _requires_login(response: EwsResponse) -> bool:
    """Whether a login stands where the page should be."""
    if response.status in (401, 403):
        return True
    if response.status != 200 or b"<" not in response.body:
        return False
    return "required to Login" in _response_text(response) or any(
        field.type == "password" for field in html_tables.parse_form_fields(response.text)
    )


def _response_text(response: EwsResponse) -> str:
    return response.text.replace("&#32;", " ")
