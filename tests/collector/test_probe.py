"""What a scan asks one address: rounds, versions, and what an SNMP error leaves to ask."""

import pytest

from appliance.collector.probe import LAST_TRY_OBJECTS, PROBE_OBJECTS, Probe, ProbeRequest, ProbeResult
from appliance.domain.model import Target
from appliance.mib import oids
from appliance.mib.printer_mib import MARKERS
from appliance.snmp.ber import DecodedMessage, Oid, SnmpValue, Varbind

HOST = "127.0.4.1"
AFICIO: tuple[Varbind, ...] = (
    Varbind((*oids.SYS_DESCR, 0), b"RICOH Aficio\0", 4),
    Varbind((*oids.SYS_OBJECT_ID, 0), (1, 3, 6, 1, 4, 1, 367, 1, 1), 6),
    Varbind((*oids.HR_PRINTER_STATUS, 1), 3, 2),
    Varbind((*oids.PRT_GENERAL_SERIAL_NUMBER, 1), b"Q123 ", 4),
    Varbind((*MARKERS.column_of("life_count"), 1, 1), 815, 65),
)
V1, V2 = 0, 1


def message(*varbinds: Varbind, version: int = V2, error: tuple[int, int] = (0, 0)) -> DecodedMessage:
    return DecodedMessage(version, b"public", 0xA2, 1, *error, list(varbinds))


def probe(version: str = "auto") -> Probe:
    return Probe(Target(HOST, snmp_version=version))


def end(oid: Oid) -> Varbind:
    return Varbind(oid, None, 130)


def answer(probe: Probe) -> ProbeResult:
    assert probe.next_request is None
    found = probe.result()
    assert found
    return found


@pytest.mark.parametrize(("version", "rounds"), [("auto", "211"), ("2", "22"), ("1", "11")])
def test_silence_is_asked_again_and_then_believed(version, rounds):
    silent = probe(version)
    for each in rounds[:-1]:
        assert silent.next_request == ProbeRequest(each, PROBE_OBJECTS)
        silent.handle_timeout()
    assert silent.next_request == ProbeRequest(rounds[-1], LAST_TRY_OBJECTS)
    silent.handle_timeout()
    assert silent.next_request is None
    assert silent.result() is None


def test_a_printer_that_answers_is_asked_no_more():
    asked = probe()
    asked.handle_response(message(*AFICIO))
    found = answer(asked)
    assert found.is_printer
    assert found.target == Target(HOST, snmp_version="2")
    assert found.description == "RICOH Aficio"
    assert found.identity.serial_number == "Q123"
    assert found.identity.object_id == "1.3.6.1.4.1.367.1.1"


def test_an_answer_after_the_last_round_counts():
    asked = probe("2")
    asked.handle_timeout()
    asked.handle_timeout()
    asked.handle_response(message(*AFICIO))
    assert answer(asked).is_printer


def test_who_answers_the_last_round_alone_is_asked_one_by_one():
    asked = probe("2")
    asked.handle_timeout()
    asked.handle_response(message(AFICIO[1]))
    for oid, varbind in zip(PROBE_OBJECTS, AFICIO, strict=True):
        if oid not in LAST_TRY_OBJECTS:
            assert asked.next_request == ProbeRequest("2", (oid,))
            asked.handle_response(message(varbind))
    found = answer(asked)
    assert (found.is_printer, found.description) == (True, "RICOH Aficio")
    assert found.identity.serial_number == "Q123"


# Versions


def test_an_agent_that_answers_v1_is_asked_once_more_for_v2():
    asked = probe()
    asked.handle_timeout()
    asked.handle_response(message(*AFICIO, version=V1))
    assert asked.next_request == ProbeRequest("2", (oids.SYS_OBJECT_ID,))
    asked.handle_response(message(AFICIO[1]))
    assert answer(asked).target.snmp_version == "2"
    assert answer(asked).description == "RICOH Aficio"


def test_an_agent_that_speaks_v1_only_stays_with_it():
    asked = probe()
    asked.handle_timeout()
    asked.handle_response(message(*AFICIO, version=V1))
    asked.handle_timeout()
    assert answer(asked).target.snmp_version == "1"


def test_an_agent_that_answers_v2_with_v1_speaks_v1():
    asked = probe()
    asked.handle_response(message(*AFICIO, version=V1))
    asked.handle_response(message(AFICIO[1], version=V1))
    assert answer(asked).target.snmp_version == "1"


def test_a_version_that_was_set_is_not_questioned():
    asked = probe("1")
    asked.handle_response(message(*AFICIO, version=V1))
    assert answer(asked).target.snmp_version == "1"


# Errors


def test_what_a_v1_agent_does_not_have_is_left_out():
    asked = probe("1")
    asked.handle_response(message(version=V1, error=(2, 5)))
    assert asked.next_request == ProbeRequest("1", PROBE_OBJECTS[:4])
    asked.handle_response(message(version=V1, error=(2, 1)))
    assert asked.next_request == ProbeRequest("1", PROBE_OBJECTS[1:4])
    asked.handle_response(message(*AFICIO[1:4], version=V1))
    assert answer(asked).identity.serial_number == "Q123"
    assert answer(asked).description is None


@pytest.mark.parametrize("error", [(1, 0), (5, 3), (2, 0), (2, 9), (77, -1)])
def test_what_is_too_much_at_once_is_asked_one_by_one(error):
    asked = probe("2")
    asked.handle_response(message(error=error))
    for oid, varbind in zip(PROBE_OBJECTS, AFICIO, strict=True):
        assert asked.next_request == ProbeRequest("2", (oid,))
        if oid == oids.SYS_DESCR:
            asked.handle_response(message(error=error))
        else:
            asked.handle_response(message(varbind))
    assert answer(asked).is_printer
    assert answer(asked).description is None


def test_a_later_question_that_is_not_answered_is_asked_twice_then_dropped():
    asked = probe("2")
    asked.handle_response(message(error=(1, 0)))
    asked.handle_response(message(AFICIO[0]))
    for oid in PROBE_OBJECTS[1:]:
        for _ in range(2):
            assert asked.next_request == ProbeRequest("2", (oid,))
            asked.handle_timeout()
    assert answer(asked).description == "RICOH Aficio"


def test_errors_alone_are_an_answer_of_nobody_known_in_few_questions():
    asked = probe("auto")
    questions = 0
    while asked.next_request:
        asked.handle_response(message(error=(2, 1), version=V1))
        questions += 1
    assert questions <= 7
    found = answer(asked)
    assert not found.is_printer
    assert found.description is None
    assert found.identity.object_id is None


# Who is a printer


def who(object_id: SnmpValue, *rows: Varbind) -> bool:
    asked = probe("2")
    asked.handle_response(
        message(end(oids.SYS_DESCR), Varbind((*oids.SYS_OBJECT_ID, 0), object_id, 6), *rows)
    )
    return answer(asked).is_printer


SWITCH = (1, 3, 6, 1, 4, 1, 9, 1, 1)
WINDOWS = (1, 3, 6, 1, 4, 1, 311, 1, 1, 3, 1, 1)
NET_SNMP = (1, 3, 6, 1, 4, 1, 8072, 3, 2, 10)
RICOH = (1, 3, 6, 1, 4, 1, 367, 1, 1)


@pytest.mark.parametrize(
    ("printer", "object_id", "rows"),
    [
        (False, SWITCH, (end(PROBE_OBJECTS[2]), end(PROBE_OBJECTS[3]), end(PROBE_OBJECTS[4]))),
        (False, SWITCH, (Varbind((1, 3, 6, 1, 2, 1, 31, 1), 1, 2),) * 3),
        (False, SWITCH, (Varbind((1, 3, 6, 1, 2, 1, 43, 5, 1, 1, 17, 1), None, 130),) * 3),
        (True, SWITCH, (Varbind((*oids.HR_PRINTER_STATUS, 1), 3, 2),)),
        (True, SWITCH, (end(PROBE_OBJECTS[2]), AFICIO[3])),
        (True, SWITCH, (end(PROBE_OBJECTS[2]), end(PROBE_OBJECTS[3]), AFICIO[4])),
        (True, RICOH, ()),
        (True, (0, 0), (AFICIO[2],)),
        (False, (0, 0), ()),
        (False, b"1.3.6.1.4.1.367", ()),
        (False, WINDOWS, (Varbind((*oids.HR_PRINTER_STATUS, 7), 3, 2),)),  # the queues of a computer
        (False, NET_SNMP, (Varbind((*oids.HR_PRINTER_STATUS, 1536), 3, 2),)),
        (True, NET_SNMP, (AFICIO[2], AFICIO[3])),  # a printer with a common agent
    ],
)
def test_who_is_a_printer(printer, object_id, rows):
    assert who(object_id, *rows) is printer


def test_a_text_in_another_charset_is_still_a_text():
    asked = probe("2")
    asked.handle_response(message(Varbind((*oids.SYS_DESCR, 0), b"B\xe4r \0\0", 4)))
    assert answer(asked).description == "Bär"
