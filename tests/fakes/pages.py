"""Printers' own web pages: Lexmark's old and new ones, Brother's, Canon's; behind a login where told so."""

import base64
import json
from dataclasses import dataclass, field

from tests.fakes.website import Request, Response

NOT_FOUND = Response("<html><body>not here</body></html>", 404)


# Lexmark

LEXMARK_STATISTICS = "/cgi-bin/dynamic/printer/config/reports/devicestatistics.html"

ENGLISH = (
    *("Media Side Count", "Media Picked Side Count", "Media Printed Side Count", "Print", "Copy", "Fax"),
    *("Mono", "Color", "Total", "Mono Sides Printed", "Color Sides Printed", "A4 - Plain", "Letter - Plain"),
)
CZECH = (
    *("Počet stran médií", "Odebrané strany", "Vytištěné strany", "Tisk", "Kopírování", "Fax"),
    *(
        "Černobíle",
        "Barevně",
        "Celkem",
        "Černobílé strany",
        "Barevné strany",
        "A4 obyčejný",
        "Letter obyčejný",
    ),
)


@dataclass
class LexmarkClassic:
    """Functions with their mono, colour (None: a black printer) and total; `depth` shifts all indents."""

    functions: tuple[tuple[int, int | None], ...] = ((41_200, 8_310), (1_250, 96), (77, 0))
    words: tuple[str, ...] = ENGLISH
    shift: int = 0
    separator: str = ","

    def __call__(self, request: Request) -> Response:
        if request.path != LEXMARK_STATISTICS:
            return NOT_FOUND
        return Response(self.page(), headers=[("Content-Type", "text/html; charset=utf-8")])

    def page(self) -> str:
        side, picked, printed, *names, mono, color, total, mono_sides, color_sides, a4, letter = self.words
        rows = [self._row(20, side)]
        whole = sum(black for black, _ in self.functions) + 999
        rows += [self._row(30, picked)]
        rows += self._group(40, mono_sides, [(a4, whole), (letter, 0), (total, whole)])
        rows += [self._row(30, printed)]
        for name, (black, colored) in zip(names, self.functions, strict=False):
            rows += [self._row(40, name), self._row(50, mono, black)]
            rows += [] if colored is None else [self._row(50, color, colored)]
            rows += [self._row(50, total, black + (colored or 0))]
        black = sum(function[0] for function in self.functions)
        colored = sum(function[1] or 0 for function in self.functions)
        rows += self._group(40, mono_sides, [(a4, black - 5), (letter, 5), (total, black)])
        rows += self._group(40, color_sides, [(a4, colored), (letter, 0), (total, colored)])
        job = "".join([self._row(20, "Job"), self._row(30, "Last"), self._row(40, "Pages", 4)])
        return (
            "<HTML><HEAD><title>x</title></HEAD><BODY><h2>7463</h2>\n"
            f"<TABLE>{job}</TABLE><TABLE>{''.join(rows)}</TABLE></BODY></HTML>"
        )

    def _group(self, indent: int, head: str, leaves: list[tuple[str, int]]) -> list[str]:
        return [self._row(indent, head), *(self._row(indent + 10, label, value) for label, value in leaves)]

    def _row(self, indent: int, label: str, value: int | None = None) -> str:
        shown = label if value is not None else f"<b>{label}</b>"
        number = "" if value is None else f" {value:,}".replace(",", self.separator)
        return (
            f'<TR><td><p align="left" style="margin-left: {indent + self.shift};">{shown}</p></td>\n'
            f"<td><p>{number}</p></td></TR>\n"
        )


@dataclass
class LexmarkJson:
    """`guests`: whether the status page is shown without login."""

    guests: bool = True
    password: str = "s3cret"
    username: str = ""
    serial: str = "7464123456XYZ"
    booting: bool = False
    logins: list[str] = field(default_factory=list)  # every password that came

    def __call__(self, request: Request) -> Response:
        if request.path == "/webglue/session/create" and request.method == "POST":
            return self._create(json.loads(request.form["data"]))
        if request.path != "/webglue/rawcontent":
            return NOT_FOUND
        component = request.query.get("c")
        if component == "LoginMethod":
            return _json({"nodes": {"LOGIN_METHODS_WITH_CREDS": {"lms": [self._method()]}}})
        if component != "Status" or self.booting:
            return NOT_FOUND
        if not self.guests and request.cookies.get("sessionKey") != "k-77":
            return Response('{"error":"session"}', 401)
        return _json(self.status())

    def status(self) -> dict[str, object]:
        return {
            "guestSession": 1,
            "nodes": {
                "supplies": {
                    "Black Toner": {
                        "percentFull": 37,
                        "curlevel": 37,
                        "capacity": 15000,
                        "partNumber": "56F0XA0",
                    },
                    "Black Imaging Kit": {"percentFull": 250},
                    "Waste": {"percentFull": "full"},
                },
                "inputs": {"Tray 1": {"capacity": 550}},
                "nodes": {
                    "DeviceSerialNumberLxk": {"text": {"text": self.serial}},
                    "DeviceFirmwareLevel": {"text": {"text": "MXTGM.073.023"}},
                },
            },
        }

    def _method(self) -> dict[str, object]:
        if self.username:
            return {"credentials": ["username", "password"], "lmid": 3, "lmtype": 0, "text_id": 1}
        return {"credentials": ["password"], "lmid": -1, "lmtype": 2, "selected": 1, "text_id": 65919}

    def _create(self, data: dict[str, object]) -> Response:
        wanted: dict[str, object] = {"password": self.password}
        if self.username:
            wanted["username"] = self.username
        creds = data["creds"]
        assert isinstance(creds, dict)
        self.logins.append(str(creds["password"]))
        method = self._method()
        if (data["authtype"], data["authId"], creds) != (method["lmtype"], method["lmid"], wanted):
            return _json(
                {"status": 0, "sessionId": "x1", "sessionName": "", "error": "Unexpected login error."}
            )
        return _json({"status": 0, "sessionId": "x2", "sessionKey": "k-77", "sessionName": "Admin"})


def _json(value: object) -> Response:
    return Response(json.dumps(value), headers=[("Content-Type", "application/json")])


# Brother

PRINT_ONLY = {"Page Counter": "14228", "Drum Count": "4059", "A4/Letter": "14051", "Others": "96"}
MFC = {
    "Page Counter": "51482",
    "Average Coverage": "4.01",
    "Others": "23",
    "Total": "51482",
    "Total 2-sided Print": "8110",
    "List": "6",
    "Copy": "12087",
    "Copy 2-sided Print": "40",
    "Print": "39300",
    "Print 2-sided Print": "8070",
    "Fax": "89",
    "Scan Page Count": "12107",
    "Replace Count(Toner)": "82",
    "Error1": 'Plein toner ê "é", fini',
}


@dataclass
class Brother:
    """`login`: "old" is a form on /general/status.html, "new" one on /home/status.html with a token."""

    columns: dict[str, str] = field(default_factory=lambda: dict(MFC))
    login: str = ""
    password: str = "initpass"
    box: str = "B126"
    csv: bool = True
    serial: str = "E71833C4J372261"
    logins: list[str] = field(default_factory=list)
    tokens: int = 0

    def __call__(self, request: Request) -> Response:
        status = "/home/status.html" if self.login == "new" else "/general/status.html"
        if request.path == status:
            return self._log_in(request) if request.method == "POST" else self._status()
        if request.path == "/etc/passerror.html":
            return Response("<html><body>Password&#32;Error</body></html>")
        known = {"/general/information.html"} | ({"/etc/mnt_info.csv"} if self.csv else set())
        if request.path not in known:
            return NOT_FOUND
        if self.login and request.cookies.get("AuthCookie") != "a-1":
            return Response(
                f"<html><body>{self._form()}<div>To&#32;Access&#32;this&#32;page&#32;you&#32;are&#32;required"
                "&#32;to&#32;Login</div></body></html>"
            )
        return Response(self.table() if request.path.endswith(".csv") else self.listing())

    def table(self) -> bytes:
        named = {"Node Name": "BRN30055C000001", "Model Name": "Brother MFC-X", "Location": "3ème étage",
                 "Serial No.": self.serial, "Main Firmware Version": "ZC", **self.columns}  # fmt: skip
        lines = (named.keys(), named.values())
        text = "".join(
            "".join('"' + cell.replace('"', '""') + '",' for cell in line) + "\r\n" for line in lines
        )
        return text.encode("hp-roman8")

    def listing(self) -> str:
        def group(title: str, cells: dict[str, str]) -> str:
            pairs = "".join(
                f"<dt>{label.replace(' ', '&#32;')}<!-- mid-end --></dt>"
                f'<dd>{value}<span class="unit">pages</span></dd>'
                for label, value in cells.items()
            )
            heading = title.replace(" ", "&#32;")
            return f'<div class="contentsGroup"><h3>{heading}</h3><dl class="items">{pairs}</dl></div>'

        functions: dict[str, str] = {
            name: self.columns[name] for name in ("List", "Copy", "Print", "Fax") if name in self.columns
        }
        return (
            "<html><body>"
            + "".join(
                [
                    group("Node Information", {"Serial no.": self.serial, "Main Firmware Version": "ZC"}),
                    group("Device Status", {"Page Counter": self.columns["Page Counter"]}),
                    group("Remaining Life", {"Toner**": "(100.00%)"}),
                    group("Total Pages Scanned", {"Copy": "1", "Fax": "2"}),
                    group("Total Pages Printed", {"A4/Letter": "1", "Others": "2"}),
                    group("Total Pages Printed", functions),
                    group("Replace Count", {"Toner": "82"}),
                ]
            )
            + "</body></html>"
        )

    def _form(self) -> str:
        token = (
            f'<input type="hidden" id="CSRFToken" name="CSRFToken" value="t{self.tokens}"/>'
            if self.login == "new"
            else ""
        )
        return (
            f'<form method="post"><input type="hidden" name="pageid" value="1"/>{token}'
            f'<input type="password" id="LogBox" name="{self.box}" /></form>'
        )

    def _status(self) -> Response:
        self.tokens += 1
        form = self._form() if self.login else ""
        return Response(
            f'<html><body>{form}<div id="moni_data"><span class="moni">Ready</span></div></body></html>'
        )

    def _log_in(self, request: Request) -> Response:
        self.logins.append(request.form.get(self.box, ""))
        token = self.login != "new" or request.form.get("CSRFToken") == f"t{self.tokens}"
        if request.form.get(self.box) != self.password or not token:
            return Response(status=302, headers=[("Location", "/etc/passerror.html")])
        where = request.form.get("loginurl", "/")
        return Response(status=302, headers=[("Location", where), ("Set-Cookie", "AuthCookie=a-1; path=/")])


# Canon

CANON_VALUES = {101: 67_911, 103: 1_204, 108: 50_111, 114: 20_400, 201: 17_000, 221: 12_500, 217: 4_500,
                301: 50_911, 313: 37_611, 309: 13_300, 501: 8_002, 701: 33}  # fmt: skip


@dataclass
class Canon:
    """The Remote UI. `large`: below /rps/, behind a login with a department id."""

    numbers: dict[int, int] = field(default_factory=lambda: dict(CANON_VALUES))
    large: bool = False
    department: str = "7"
    pin: str = "4711"
    logins: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        if request.path == "/":
            return Response("<html>start</html>", headers=[("Set-Cookie", "portal=p1; path=/")])
        if self.large and request.path == "/login" and request.method == "POST":
            return self._log_in(request)
        if request.path == "/rps/":
            return Response("<html>menu</html>")
        return self._counters(request)

    def _log_in(self, request: Request) -> Response:
        self.logins.append(request.form["password"])
        if (request.form["deptid"], request.form["password"]) != (self.department, self.pin):
            return Response(self._form())
        return Response(status=302, headers=[("Location", "/rps/"), ("Set-Cookie", "iR=1; path=/")])

    def _counters(self, request: Request) -> Response:
        if request.path != ("/rps/dcounter.cgi" if self.large else "/dcounter.cgi"):
            return NOT_FOUND
        if self.large and request.cookies.get("iR") != "1":
            return Response(self._form())
        if request.cookies.get("portal") != "p1":
            return Response(status=403)
        script = "".join(f'write_value("{number}", {value});\n' for number, value in self.numbers.items())
        return Response(f"<html><script>{script}</script></html>")

    def _form(self) -> str:
        return '<html><form><input name="deptid"><input type="password" name="password"></form></html>'


# Any of them behind HTTP's own authentication


@dataclass
class Basic:
    """A site whose every page wants HTTP BASIC credentials."""

    site: LexmarkClassic | Brother | Canon
    username: str = "admin"
    password: str = "s3cret"
    tries: int = 0  # requests that held credentials

    def __call__(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        self.tries += bool(given)
        wanted = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        if given != f"Basic {wanted}":
            return Response("no", 401, [("WWW-Authenticate", 'Basic realm="printer"')])
        return self.site(request)
