"""Every line that the Plug may say to its page has a German one, or stands here with the reason why not.

The texts are read out of the sources: whatever looks like words and is neither documentation, a log line, nor
SQL. The rules by which the page finds a line (webui/app/i18n.js) are written down a second time here, as
tests/browser sees only a few lines.
"""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINES: dict[str, str] = json.loads((ROOT / "webui/i18n/lines.de.json").read_text())
FALLBACK = "{0}: {1}"  # known as far as its parts are
HOLE = "\ufffc"  # where a value stands in a line
QUIET = ("log.", "re.compile", "db.execute", "db.executemany", "db.executescript", "terminal.", "print")
CODE = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|PRAGMA|WHERE|BEGIN|COMMIT|SAVEPOINT|RELEASE|CREATE)\b"  # SQL
    r"|.*(\.\*|\\|\||\[\^|\(\?|^\t|-----)",  # patterns, files
    re.DOTALL,
)


# Modules that say nothing to the page.
UNHEARD = {
    "__main__.py": "the command",
    "cli/": "the command",
    "cli/formatting.py": "the command",
    "domain/supply_text.py": "the command",
    "provisioning/": "an answer on the boot partition",
    "snmp/ber.py": "what is wrong with a datagram is no more than `garbled` outside",
    "snmp/notifications.py": "the same: not understood, and counted",
    "vendors/": "names of vendors and objects; errors of their files, which a test finds",
    "mib/alert_codes.py": "names of the MIB",
    "collector/poll_cache.py": "a memory that cannot be read is forgotten",
    "collector/canon_cpca.py": "the test command alone asks it",
    "collector/counters.py": "sources of counters",
    "delivery/mail_message.py": "mail to the provider",
    "delivery/archive.py": "the command that opens parcels",
    "storage/json_codec.py": "mistakes of our own",
    "poller/attention.py": "for the Plug's light",
    "privileged/firewall.py": "for nft",
    "privileged/led.py": "names of what the light says",
    "privileged/health_check.py": "the log of root's part",
    "settings/network.py": "the same: the page has its own check",
    "privileged/run_as_owner.py": "the log of root's part",
    "privileged/request_handler.py": "the same",
    "privileged/untrusted_settings.py": "the same",
    "updates/hawkbit_agent.py": "what the fleet server is told",
    "web/metrics.py": "for programs",
    "mib/enums.py": "words of the API: they have keys",
    "mib/printer_mib.py": "a declaration at fault, found at import",
}
# Texts that are no lines of the page. A part of a line is there as a whole, with what it is joined to.
PARTS = {
    "settings/schema.py": {"at end of document", "at line {}, its end"},
    "delivery/enrolment_client.py": {"the enrolment URL"},
    "delivery/https_sender.py": {  # behind "HOST: TLS", or "the server said"
        "{} certificate not trusted: {}",
        "{} certificate of the Plug refused: {}",
        "{} handshake refused, probably for want of the Plug's certificate",
        "{}: redirects to {}, which is not followed",
    },
    "discovery/address_ranges.py": {
        "write 192.168.1.1-192.168.1.254, 192.168.1.7, 192.168.1.0/24 or a DNS name,"
        " several separated by commas"
    },
    "discovery/entries.py": {
        "all entries together are {} addresses",
        "with {} the entries",
        "{}, more than the {} that one run may ask: narrow it, or raise discovery.max_addresses",
    },
    "jobs/csv_import.py": {
        ": a share has to be mounted first, and is named by where it is mounted",
        "entries: {}; printers dropped: {}",
        "the exclusion list {}",
    },
    "licensing/verifier.py": {
        "is the Plug's clock right?",
        "the licence is not valid before {} UTC: {}",
        "the licence was signed after {} UTC: {}",
        "{} It says {} UTC",
    },
    "licensing/installer.py": {
        "it is for the Plug {}, and this is {}",
        "its certificate is for a key that this Plug does not have",
        "the licence is not for this Plug: {}",
        "this Plug has asked for none yet",
    },
    "licensing/status.py": {"{} Nothing is sent, parcels are kept"},
    "poller/clock_monitor.py": {"the clock was set {} by {}"},
    "poller/auto_update.py": {"the {} cannot be asked: {}", "version {} did not start well, {} runs again{}"},
    "poller/self_monitor.py": {", the oldest since {} UTC", "{} parcels wait to be sent{}"},
    "jobs/batch_poller.py": {"no description"},
    "settings/validation.py": {
        "; did you mean {}?",
        "[[{}]] above each",
        "must be {}",
        "{}, without user name and password in it",
        "{}: must be {}, not {}",
    },
    "storage/counters.py": {"printer {}: {} {}; held until it is confirmed"},
    "storage/database.py": {
        "cannot be opened",
        "cannot be read or written: the disk reports an error",
        "cannot be written: it is read-only",
        "cannot be written: no permission",
        "cannot grow: the disk is full",
        "is damaged",
        "is held by another process",
    },
    "web/openapi.py": {"{}: must be {}."},
    "web/discovery.py": {"SNMP version {}", "such entry any more: somebody has changed it meanwhile"},
    "web/imports.py": {"{} To import it anyway, say so."},
    "web/licences.py": {"{}: it is asked again by itself"},
    "web/recordings.py": {"recording of printer {}"},
    "web/services.py": {"{}: {} was asked for."},
    "web/transmission.py": {"such parcel"},
    "web/errors.py": {"There is no {}."},
}
STATES = {"other plug", "on trial", "fell back"}
# Texts that are compared, written or logged, or by which somebody is known who asks by programs.
UNSEEN = {
    "settings/schema.py": {
        "# Settings of this PrintMonitor Plug. The page writes this file anew with every change: comments are"
        " lost.\n# Every key is described in the README. `printmonitor check` names what is wrong.\n\n"
    },
    "delivery/outbox.py": {"{} WHERE id = ?", "{} WHERE state = 'waiting' ORDER BY sequence LIMIT 1"},
    "jobs/csv_import.py": {"import list"},
    "licensing/verifier.py": {
        "E-mail Protection",
        "Error loading file",
        "certificate purpose",
        "certificate verify error",
        "not yet valid",
        "verification failure",
    },
    "licensing/csr.py": {"{} is no id of a Plug"},
    "poller/run_log.py": {"{} of {} addresses asked, ", "{}: {}{} of {} printers read"},  # systemctl status
    "poller/auto_update.py": {"fleet server"},
    "poller/self_monitor.py": {"disk nearly full", "outbox growing", "service restarted"},  # kinds of events
    "poller/import_watcher.py": {"import lines", "import refused", "watched import list"},
    "ews/brother.py": {"Password Error", "Replace Count", "required to Login"},
    "snmp/client.py": {"SNMP v1 has no GETBULK"},
    "snmp/errors.py": {"{} at object {}"},
    "mib/charsets.py": {"unexpected end of data"},
    "settings/validation.py": {"{} is no duration", "{} is no time of day"},
    "storage/database.py": {"ROLLBACK TO part; RELEASE part"},
    "storage/jobs.py": {
        "(json_extract(arguments, '$.printers') IS NOT NULL)",
        "id, kind, arguments, state, progress, result, put_at, started_at, finished_at",
    },
    "storage/service_lifecycle.py": {"service restarted"},
    "storage/address_history.py": {
        "printer address changed",
        "printer at two addresses",
        "printer met twice",
        "two printers with one serial number",
    },
    "storage/db_outage.py": {"database not usable"},
    "storage/traps.py": {"printer_id IS NULL", "printer_id IS NULL AND sender = ?"},
    "privileged/rauc_installer.py": {
        "Checking bundle",
        "Determining slot states",
        "Determining target install group",
        "Verifying signature",
        "Call failed: ",
        "No space left",
        "already processing",
        "not found",
        "too small for image",
        "unsuitable certificate purpose",
    },
    "trap_receiver/write_buffer.py": {"no room on the disk"},  # `printmonitor traps --list`
    "trap_receiver/udp_intake.py": {
        "another community",
        "not read in time",
        "not understood",
        "too many at once",
        "too many from one sender",
        "too many from printers",
        "too many from strangers",
    },
    "trap_receiver/service.py": {"listening on UDP port {}", "switched off", "too many traps"},
    "web/handlers.py": {'attachment; filename="{}"', "private, no-cache"},
    "web/openapi.py": {"{} is no JSON"},
    "web/middleware.py": {"PrintMonitor Plug"},
    "web/listeners.py": {"the runner is not set up"},
    "web/auth.py": {"a session ended when it began"},
    "web/tls.py": {"the key has a password"},
}


@cache
def patterns() -> list[tuple[str, re.Pattern[str]]]:
    """As in i18n.js: the line with the most words of its own comes first."""
    ordered = sorted(LINES, key=lambda line: -len(re.sub(r"\{\d\}", "", line)))
    return [
        (line, re.compile("(.*?)".join(map(re.escape, re.split(r"\{\d\}", line))), re.IGNORECASE | re.DOTALL))
        for line in ordered
    ]


def found(line: str) -> tuple[str, re.Match[str]] | None:
    """The line of the table that the page takes."""
    bare = re.sub(r"(?<!\.)\.$", "", line)
    return next(((known, hit) for known, shape in patterns() if (hit := shape.fullmatch(bare))), None)


def is_known(line: str) -> bool:
    """Whether a reader of the German page meets no English word of the Plug's own."""
    hit = found(line)
    if hit is None:
        return not has_words(line)
    said = {int(number) for number in re.findall(r"\{say:(\d)\}", LINES[hit[0]])}
    parts = [part for number, part in enumerate(hit[1].groups()) if hit[0] == FALLBACK or number in said]
    return all(map(is_known, parts))


def has_words(text: str) -> bool:
    return bool(re.search(r"[A-Za-z]{2,}[,;:]? [a-zA-Z]{2,}", text)) and not CODE.match(text)


def texts(source: str) -> Iterator[tuple[int, str]]:
    """The texts of a module, with a hole for each value; where a value is one of two texts, both."""
    tree = ast.parse(source)
    passed = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(node.value)  # documentation
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith(QUIET):
            passed.update(ast.walk(node))
        elif isinstance(node, ast.JoinedStr):
            passed.update(node.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and node not in passed:
            yield from ((node.lineno, text) for text in forms(node) if has_words(text))


def forms(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            for parts in product(*(list(forms(part)) for part in values)):
                yield "".join(parts)
        case ast.FormattedValue(value=ast.IfExp(body=ast.Constant(), orelse=ast.Constant()) as choice):
            yield from forms(choice.body)
            yield from forms(choice.orelse)
        case ast.FormattedValue():
            yield HOLE


def modules() -> list[str]:
    paths = [str(path.relative_to(ROOT / "appliance")) for path in (ROOT / "appliance").rglob("*.py")]
    return sorted(path for path in paths if not path.startswith(tuple(UNHEARD)))


def foreign(module: str) -> set[str]:
    """The texts of a module without a German line."""
    said = texts((ROOT / "appliance" / module).read_text())
    return {text.replace(HOLE, "{}") for _, text in said if not is_known(text)}


@pytest.mark.parametrize("module", modules())
def test_what_a_module_says_has_a_german_line(module: str) -> None:
    missing = foreign(module) - STATES - PARTS.get(module, set()) - UNSEEN.get(module, set())
    assert missing == set(), "a line in webui/i18n/lines.de.json, or a reason here"


def test_whatever_is_excused_exists() -> None:
    for excused in (PARTS, UNSEEN):
        assert {module: gone for module, some in excused.items() if (gone := some - foreign(module))} == {}
    assert all((ROOT / "appliance" / name).exists() for name in UNHEARD)


def test_no_line_is_hidden_behind_another() -> None:
    for line in LINES:
        hit = found(re.sub(r"\{(\d)\}", rf"{HOLE}\1", line))
        assert hit is not None
        assert hit[0] == line


def test_no_line_stands_twice() -> None:
    pairs = json.loads((ROOT / "webui/i18n/lines.de.json").read_text(), object_pairs_hook=list)
    assert [line for line, times in Counter(line for line, _ in pairs).items() if times > 1] == []


def test_a_new_text_is_found() -> None:
    """What the first test would say of a module with these texts."""
    source = '''
def tell(name, count):
    """Documentation is not shown."""
    log.info("nor is a log line")
    db.execute("nor a question to the database")
    yield f"{name}: nobody has translated this"
    yield f"printer {name}: {'one' if count == 1 else 'two'} of them"
'''
    assert {text for _, text in texts(source) if not is_known(text)} == {
        f"{HOLE}: nobody has translated this",
        f"printer {HOLE}: one of them",
        f"printer {HOLE}: two of them",
    }
