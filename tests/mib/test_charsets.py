"""Bytes of real printers as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.mib.charsets import CODECS_BY_MIBENUM, decode_text


@pytest.mark.parametrize(
    ("value", "charset", "text"),
    [
        (b"Toner Schwarz", None, "Toner Schwarz"),
        (b"Papier nachf\xc3\xbcllen", 106, "Papier nachfüllen"),
        (b"Papier nachf\xc3\xbcllen", 2004, "Papier nachfüllen"),  # says Roman-8, sends UTF-8
        (b"Papier nachf\xcfllen", 2004, "Papier nachfüllen"),  # HP Roman-8
        (b"Papier nachf\xfcllen", 4, "Papier nachfüllen"),  # Latin-1
        (b"Papier nachf\xfcllen", None, "Papier nachfüllen"),
        (b"Caf\xe9", 4, "Café"),  # not a cut-off UTF-8 character
        (b"nachf\xc3\xbcllen f\xc3", None, "nachfüllen f"),  # cut off inside a character
        (b"nachf\xc3", 106, "nachf"),
        (b"\x88\xf3\x8d\xfc\x82\xc5\x82\xab\x82\xdc\x82\xb7", 17, "印刷できます"),  # Shift_JIS
        (b"\x88\xf3\x8d\xfc\x82", 17, "印刷"),
        ("印刷できます".encode(), 17, "印刷できます"),
        (b"\x00R\x00e\x00a\x00d\x00y", 1000, "Ready"),  # UCS-2
        (b"Ready", 1000, "Ready"),  # says UCS-2, sends ASCII
        (b" ISC 2432", None, "ISC 2432"),
        (b"Ready   \x00\x00\x00", None, "Ready"),
        (b"Ready\x00left over", None, "Ready"),
        (b"ENERGIESPAREN   \rTROCKNEN\r\n", None, "ENERGIESPAREN TROCKNEN"),
        (b"a\x01b\x1bc\x7fd", None, "abcd"),
        (b"\x01\x15HP LaserJet\x0a50", None, "HP LaserJet 50"),  # PML
        (b"\xef\xbf\xbe\xed\xa0\x80", None, "ï¿¾í"),  # noncharacter, surrogate: taken as Latin-1
        (b"", None, ""),
        (b"\x00", None, ""),
    ],
)
def test_decodes(value: bytes, charset: int | None, text: str) -> None:
    assert decode_text(value, charset) == text


def test_every_codec_exists() -> None:
    for charset, codec in CODECS_BY_MIBENUM.items():
        assert "A" in b"A".decode(codec), charset


@given(st.binary(max_size=60), st.sampled_from([None, *CODECS_BY_MIBENUM, 106, 1000, 1015, -7]))
def test_whatever_comes_is_fit_for_xml(value: bytes, charset: int | None) -> None:
    text = decode_text(value, charset)

    assert text == text.strip()
    for character in text:
        code = ord(character)
        assert code >= 0x20
        assert not 0x7F <= code <= 0x9F
        assert not 0xD800 <= code <= 0xDFFF
        assert code not in {0xFFFE, 0xFFFF}
