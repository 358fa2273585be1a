"""Messages of the Plug on the German page, by their codes."""

from typing import Any

from appliance.domain.messages import Message, add_message_fields
from tests.browser.conftest import Visitor

SAY = "async (all) => { const i18n = await import('/app/i18n.js'); return all.map((one) => i18n.say(one)); }"
TEXTS = {
    Message("clock.set_forward", by="1:02:00"): "die Uhr wurde um 1:02:00 vorgestellt",
    Message("pair", first="mail.example.com:587", second=Message("net.refused")): (
        "mail.example.com:587: Verbindung abgelehnt"
    ),
    Message("import.bad_lines", count=2, problem=Message("import.no_address")): (
        "2 fehlerhafte Zeilen: in der ersten Spalte steht keine Adresse ..."
    ),
    Message("import.entries_missing", removed=1234, before=5678): (
        "in der Liste fehlen 1.234 der 5.678 zuvor importierten Einträge"
    ),
    Message("as_sentence", text=Message("licence.expired", day="2026-01-01")): (
        "Die Lizenz ist am 2026-01-01 abgelaufen."
    ),
}


async def test_messages_are_translated_by_their_codes(visitor: Visitor) -> None:
    page = await visitor.open("/", "de")
    records = [add_message_fields({"text": message}) for message in TEXTS]
    assert await page.evaluate(SAY, records) == [*TEXTS.values()]


async def test_what_has_no_known_code_stays_as_it_is(visitor: Visitor) -> None:
    """Such as events of an older version, and what other devices say."""
    page = await visitor.open("/", "de")
    records: list[dict[str, Any]] = [
        {"text": "the clock was set forward by 1:02:00"},
        {"text": "of a later version", "text_message": {"code": "no.such.code", "params": {}}},
    ]
    assert await page.evaluate(SAY, records) == [record["text"] for record in records]
