"""The Plug's own lines on the German page; that there is one for each is checked in tests/test_lines.py."""

from tests.browser.conftest import Visitor

SAID = {
    "the clock was set forward by 1:02:00": "die Uhr wurde um 1:02:00 vorgestellt",
    "The licence expired on 2026-01-01; nothing is sent, parcels are kept.": (
        "Die Lizenz lief am 2026-01-01 ab; nichts wird gesendet, Pakete werden aufbewahrt."
    ),
    "traps was started again: it had ended unexpectedly": (
        "traps wurde neu gestartet: er hatte unerwartet geendet"
    ),
    "alerts not read: stopped answering; supplies not read: silent": (
        "Meldungen nicht gelesen: antwortete nicht mehr; Verbrauchsmaterial nicht gelesen: stumm"
    ),
    "/mnt/list.csv: 2 bad lines: line 3: there is no address in the first column ...": (
        "/mnt/list.csv: 2 unbrauchbare Zeilen: Zeile 3: in der ersten Spalte steht keine Adresse ..."
    ),
    "mail.example.com:587: connection refused": "mail.example.com:587: Verbindung abgelehnt",
    "somebody else's words: as they are": "somebody else's words: as they are",
}


async def test_lines_are_found_by_their_own_words(visitor: Visitor) -> None:
    page = await visitor.open("/", "de")
    said = await page.evaluate(
        "async (lines) => { const { say } = await import('/app/i18n.js'); return lines.map(say); }", [*SAID]
    )
    assert dict(zip(SAID, said, strict=True)) == SAID
