"""Read a Brother's maintenance information from its CSV file or HTML page, after a login if required.

`/etc/mnt_info.csv` has a line of names, which are English in every language of the panel, then a line of
values; both end with a comma, texts are in HP Roman-8. The columns depend on the model: print-only models
lack Copy and Print, only multifunction models have Fax. `/general/information.html?kind=item` has the same
values as HTML, in the language of the web pages; only English is understood.
"""

import csv
from collections.abc import Iterable, Mapping

from appliance.domain.messages import Message
from appliance.domain.model import CounterName
from appliance.ews import html_tables
from appliance.ews.errors import EwsLoginRequiredError, EwsUnavailableError
from appliance.ews.html_tables import HtmlRow, parse_count
from appliance.ews.http_client import EwsClient, EwsResponse
from appliance.ews.models import EwsData

CSV_PATH = "/etc/mnt_info.csv"
INFORMATION_PATH = "/general/information.html?kind=item"
LOGIN_PATHS = ("/general/status.html", "/home/status.html")  # older, newer firmware
LOGIN_FAILED_MARK = "passerror"  # in the path; older firmware has "Password Error" in the text

MAX_CSV_COLUMNS = 500

COUNTER_BY_COLUMN = {  # column name in lower case without blanks; the first of equal names counts
    "pagecounter": CounterName.TOTAL,
    "total2-sidedprint": CounterName.DUPLEX,
    "copy": CounterName.COPY_TOTAL,
    "print": CounterName.PRINT_TOTAL,
    "fax": CounterName.FAX,
    "scanpagecount": CounterName.SCAN,
}
MONO_TONER_COLUMN = "replacecount(toner)"  # with four toners, each column names its colour
BLACK_COUNTER_OF_TOTAL = {
    CounterName.COPY_TOTAL: CounterName.COPY_BLACK,
    CounterName.PRINT_TOTAL: CounterName.PRINT_BLACK,
}


async def read_counters(client: EwsClient, path: str = "", _: int | None = None) -> EwsData:
    """Return the counters from `path` if given, else from the first page that has them. Raises EwsError."""
    login_required = False
    for page_path in dict.fromkeys((path or CSV_PATH, CSV_PATH, INFORMATION_PATH)):
        response = await client.get(page_path)
        data = _parse_response(page_path, response)
        if data is not None:
            return data
        login_required |= _requires_login(response)
        if login_required:
            break
    if not login_required:
        raise EwsUnavailableError(Message("ews.no_counters"))
    return await _read_after_login(client)


async def _read_after_login(client: EwsClient) -> EwsData:
    await _log_in(client)
    for page_path in (CSV_PATH, INFORMATION_PATH):
        response = await client.get(page_path)
        data = _parse_response(page_path, response)
        if data is not None:
            return data
        if _requires_login(response):
            raise client.rejected_error()
    raise EwsUnavailableError(Message("ews.no_counters_after_login"))


async def _log_in(client: EwsClient) -> None:
    """Submit the login form, whose field has another name in each firmware."""
    credentials = client.require_credentials()
    await client.switch_to_https()
    for page_path in LOGIN_PATHS:
        response = await client.get(page_path)
        fields = html_tables.parse_form_fields(response.text) if response.status == 200 else []
        password_field = next(
            (field.name for field in fields if field.type == "password" and field.name), None
        )
        if password_field is None:
            continue
        form = {field.name: field.value for field in fields if field.name == "CSRFToken"}
        form |= {password_field: credentials.password, "loginurl": INFORMATION_PATH}
        response = await client.post(response.path, form)
        if LOGIN_FAILED_MARK in response.path or "Password Error" in _response_text(response):
            raise client.rejected_error()
        return
    raise EwsLoginRequiredError(Message("ews.unknown_login"))


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
    """Return the columns of the CSV by name, or None if the bytes are not such a CSV."""
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
    """Return the same from the HTML page, without its section of scans, which reuses the names of prints."""
    rows = [row for row in html_tables.parse_definition_lists(html) if "scan" not in row.group.lower()]
    values = _first_by_name((_csv_column_name(row), row.value) for row in rows)
    return values if "pagecounter" in values else None


def _csv_column_name(row: HtmlRow) -> str:
    """Return the name that the CSV has for a row of the page."""
    return f"{row.group}({row.label})" if row.group == "Replace Count" else row.label


def extract_counters(values: Mapping[str, str]) -> dict[CounterName, int]:
    """Return the counters of the columns."""
    counters = {
        name: value
        for column, name in COUNTER_BY_COLUMN.items()
        if column in values and (value := parse_count(values[column])) is not None
    }
    if MONO_TONER_COLUMN in values:
        counters |= {
            black: counters[total] for total, black in BLACK_COUNTER_OF_TOTAL.items() if total in counters
        }
    return counters


def _first_by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault("".join(name.lower().split()), value.strip())
    values.pop("", None)  # after the last comma
    return values


def _requires_login(response: EwsResponse) -> bool:
    """Return True if a login form stands in place of the page."""
    if response.status in (401, 403):
        return True
    if response.status != 200 or b"<" not in response.body:
        return False
    return "required to Login" in _response_text(response) or any(
        field.type == "password" for field in html_tables.parse_form_fields(response.text)
    )


def _response_text(response: EwsResponse) -> str:
    return response.text.replace("&#32;", " ")
