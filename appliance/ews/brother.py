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
from appliance.ews.html_tables import Row
from appliance.ews.http_client import Answer, Client
from appliance.ews.number_parser import count
from appliance.ews.result import Locked, NoPage, Page

CSV = "/etc/mnt_info.csv"
INFORMATION = "/general/information.html?kind=item"
LOGINS = ("/general/status.html", "/home/status.html")  # older, newer firmware
WRONG = "passerror"  # in the path, or "Password Error" in the text of the page that says so

MOST_COLUMNS = 500

COUNTERS = {  # by the column's name, in lower case, without blanks; the first column of a name counts
    "pagecounter": CounterName.TOTAL,
    "total2-sidedprint": CounterName.DUPLEX,
    "copy": CounterName.COPY_TOTAL,
    "print": CounterName.PRINT_TOTAL,
    "fax": CounterName.FAX,
    "scanpagecount": CounterName.SCAN,
}
BLACK_ONLY = "replacecount(toner)"  # a printer with one toner; with four, each column names its colour
BLACK = {
    CounterName.COPY_TOTAL: CounterName.COPY_BLACK,
    CounterName.PRINT_TOTAL: CounterName.PRINT_BLACK,
}


async def read(client: Client, path: str = "", _: int | None = None) -> Page:
    """The counters, from `path` where it is known, else from the first place that has them."""
    locked = False
    for place in dict.fromkeys((path or CSV, CSV, INFORMATION)):
        answer = await client.get(place)
        page = _page(place, answer)
        if page is not None:
            return page
        locked |= _is_locked(answer)
        if locked:
            break
    if not locked:
        raise NoPage("the printer has no page with counters")
    return await _behind_login(client)


async def _behind_login(client: Client) -> Page:
    await _log_in(client)
    for place in (CSV, INFORMATION):
        answer = await client.get(place)
        page = _page(place, answer)
        if page is not None:
            return page
        if _is_locked(answer):
            raise client.refuse()
    raise NoPage("the printer has no page with counters, even after login")


async def _log_in(client: Client) -> None:
    """Fills in the status page's form; the name of its field differs from firmware to firmware."""
    credentials = client.credentials()
    await client.secure()
    for place in LOGINS:
        answer = await client.get(place)
        fields = html_tables.inputs(answer.text) if answer.status == 200 else []
        box = next((field.name for field in fields if field.type == "password" and field.name), None)
        if box is None:
            continue
        form = {field.name: field.value for field in fields if field.name == "CSRFToken"}
        form |= {box: credentials.password, "loginurl": INFORMATION}
        answer = await client.post(answer.path, form)
        if WRONG in answer.path or "Password Error" in _text(answer):
            raise client.refuse()
        return
    raise Locked("the web page wants a login in a way that is not known")


def _page(path: str, answer: Answer) -> Page | None:
    if answer.status != 200:
        return None
    values = table(answer.body) if path == CSV else listing(answer.text)
    if values is None:
        return None
    return Page(
        path=path,
        counters=counters(values),
        serial_number=values.get("serialno.") or None,
        firmware=values.get("mainfirmwareversion") or None,
    )


def table(body: bytes) -> dict[str, str] | None:
    """The columns of the CSV by name; None where the bytes are no such CSV."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("hp-roman8", "replace")
    try:
        lines = [line for line in csv.reader(text.splitlines()[:4]) if any(line)]
    except csv.Error:
        return None
    if len(lines) < 2 or len(lines[0]) > MOST_COLUMNS:
        return None
    values = _first_ones(zip(lines[0], lines[1], strict=False))
    return values if "pagecounter" in values or "serialno." in values else None


def listing(page: str) -> dict[str, str] | None:
    """The same from the page, without what was scanned: that bears the names of what was printed."""
    rows = [row for row in html_tables.terms(page) if "scan" not in row.group.lower()]
    values = _first_ones((_column(row), row.value) for row in rows)
    return values if "pagecounter" in values else None


def _column(row: Row) -> str:
    """What the CSV would call it."""
    return f"{row.group}({row.label})" if row.group == "Replace Count" else row.label


def counters(values: Mapping[str, str]) -> dict[CounterName, int]:
    """What the columns count."""
    found = {
        name: value
        for column, name in COUNTERS.items()
        if column in values and (value := count(values[column])) is not None
    }
    if BLACK_ONLY in values:
        found |= {black: found[total] for total, black in BLACK.items() if total in found}
    return found


def _first_ones(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault("".join(name.lower().split()), value.strip())
    values.pop("", None)  # what comes after the last comma
    return values


def _is_locked(answer: Answer) -> bool:
    """Whether a login stands where the page should be."""
    if answer.status in (401, 403):
        return True
    if answer.status != 200 or b"<" not in answer.body:
        return False
    return "required to Login" in _text(answer) or any(
        field.type == "password" for field in html_tables.inputs(answer.text)
    )


def _text(answer: Answer) -> str:
    return answer.text.replace("&#32;", " ")
