"""Messages: their catalogues are complete, and they survive copies, JSON and database columns."""

import ast
import copy
import json
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.domain import messages
from appliance.domain.messages import LANGUAGES, Message, Template

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = re.compile(r"\{(\w+)(?::[nsd])?\}")
ELSEWHERE = {  # code that names messages without being Python
    "rootfs-overlay/usr/lib/printmonitor/data-partition": r"^ +(data\.\w+)$",
    "webui/openapi.json": r'"x-message": "([\w.]+)"',
}


def calls() -> Iterator[tuple[str, set[str]]]:
    """Codes with the names of the parameters that they are given."""
    for path in (ROOT / "appliance").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Message" and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    yield str(code.value), {str(keyword.arg) for keyword in node.keywords}
    for name, pattern in ELSEWHERE.items():
        for code_name in re.findall(pattern, (ROOT / name).read_text(), re.MULTILINE):
            yield code_name, set()


def placeholders(template: Template) -> set[str]:
    forms = template.values() if isinstance(template, dict) else [template]
    return {name for form in forms for name in PLACEHOLDER.findall(form)}


def test_every_code_has_a_text_and_every_text_a_code() -> None:
    used = {code for code, _ in calls()}
    assert len(used) > 400
    for language in LANGUAGES:
        assert messages.load_catalogue(language).keys() == used, language


def test_texts_name_the_parameters_that_they_are_given() -> None:
    catalogue = messages.load_catalogue("en")
    for code, names in calls():
        plural = {"count"} if isinstance(catalogue[code], dict) else set()
        assert names | plural == placeholders(catalogue[code]) | plural, code


def test_languages_agree_on_parameters_and_plurals() -> None:
    english = messages.load_catalogue("en")
    for language in LANGUAGES:
        for code, template in messages.load_catalogue(language).items():
            assert placeholders(template) == placeholders(english[code]), code
            assert isinstance(template, dict) == isinstance(english[code], dict), code
            if isinstance(template, dict):
                assert template.keys() == {"one", "other"}, code


def test_no_text_has_braces_that_are_no_placeholder() -> None:
    for language in LANGUAGES:
        for template in messages.load_catalogue(language).values():
            for form in template.values() if isinstance(template, dict) else [template]:
                assert not re.search(r"[{}]", PLACEHOLDER.sub("", form)), form


def test_catalogues_are_sorted_and_name_no_code_twice() -> None:
    for language in LANGUAGES:
        text = (messages.CATALOGUE_DIR / f"{language}.json").read_text()
        pairs: list[tuple[str, Template]] = json.loads(text, object_pairs_hook=list)
        codes = [code for code, _ in pairs]
        assert codes == sorted(set(codes))


def test_a_message_is_its_english_text() -> None:
    message = Message("snmp.port_closed", port=161)
    assert message == "port 161 is closed"
    assert (message.code, message.params) == ("snmp.port_closed", {"port": 161})
    assert messages.render(message.code, message.params, "de") == "Port 161 ist geschlossen"


def test_a_message_in_a_message_is_translated_too() -> None:
    reason = Message("snmp.unreachable", reason=Message("net.refused"))
    assert reason == "unreachable: connection refused"
    assert messages.render(reason.code, reason.params, "de") == "nicht erreichbar: Verbindung abgelehnt"


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "1 parcel waits to be sent"), (0, "0 parcels wait to be sent"), (2, "2 parcels wait to be sent")],
)
def test_plural_forms(count: int, text: str) -> None:
    assert Message("plug.parcels_waiting", count=count) == text


def test_styles_of_parameters() -> None:
    assert Message("import.entries_missing", removed=1234, before=5678).startswith("the list lacks 1,234 of")
    assert Message("as_sentence", text="it ended") == "It ended."
    assert Message("as_sentence", text="is it so?") == "Is it so?"
    assert Message("request.field", field="a", problem="is missing") == "a: is missing."


def test_an_unknown_code_or_a_missing_parameter_is_an_error() -> None:
    with pytest.raises(KeyError):
        Message("no.such.code")
    with pytest.raises(KeyError):
        Message("snmp.port_closed")


def test_an_exception_as_a_parameter_stands_for_its_message() -> None:
    message = Message("pair", first="host", second=ValueError(Message("snmp.silent")))
    assert isinstance(message.params["second"], Message)
    assert messages.message_of(OSError("plain")) == "plain"


def test_copies_keep_the_code() -> None:
    message = Message("pair", first="host", second=Message("snmp.silent"))
    for other in (copy.deepcopy(message), copy.copy(message), pickle.loads(pickle.dumps(message))):  # noqa: S301
        assert (other, other.code, other.params) == (message, message.code, message.params)


def test_json_keeps_messages_beside_their_texts() -> None:
    message = Message("pair", first="host", second=Message("snmp.silent"))
    fields = {"text": message, "notes": ["plain", message], "deep": [{"why": message}], "number": 3}
    stored = json.loads(json.dumps(messages.add_message_fields(fields)))
    assert stored["text"] == "host: silent"
    assert stored["text_message"]["params"]["second"]["code"] == "snmp.silent"
    restored = messages.restore_messages(stored)
    assert restored == fields
    assert isinstance(restored, dict)
    assert isinstance(restored["text"], Message)
    assert [isinstance(note, Message) for note in restored["notes"]] == [False, True]


def test_columns_keep_messages() -> None:
    message = Message("snmp.port_closed", port=161)
    assert isinstance(messages.decode(str(message), messages.encode(message)), Message)
    assert isinstance(messages.decode_columns(str(message), *messages.encode_columns(message)), Message)
    assert messages.encode("plain") is None
    assert messages.encode_columns("plain") == (None, None)


@pytest.mark.parametrize(
    "encoded",
    [
        None,
        "",
        "{",
        "[]",
        '{"code":"of.a.later.version","params":{}}',
        '{"code":"snmp.port_closed","params":{}}',
        '{"code":"snmp.port_closed","params":{"port":5}}',  # of another text: an older version wrote it
        '{"code":"snmp.port_closed","params":[]}',
    ],
)
def test_what_is_not_understood_stays_the_stored_text(encoded: str | None) -> None:
    found = messages.decode("port 161 is closed", encoded)
    assert found == "port 161 is closed"
    assert not isinstance(found, Message)
