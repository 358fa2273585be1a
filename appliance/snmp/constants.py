"""Define the numbers of SNMP messages: BER tags, PDU types, error statuses (RFC 2578, 3416)."""

from typing import Final

INTEGER_TAG: Final = 0x02
BIT_STRING_TAG: Final = 0x03  # from SNMPv2's early drafts
OCTET_STRING_TAG: Final = 0x04
NULL_TAG: Final = 0x05
OBJECT_IDENTIFIER_TAG: Final = 0x06
SEQUENCE_TAG: Final = 0x30
IP_ADDRESS_TAG: Final = 0x40
COUNTER32_TAG: Final = 0x41
GAUGE32_TAG: Final = 0x42
TIME_TICKS_TAG: Final = 0x43
OPAQUE_TAG: Final = 0x44
NSAP_ADDRESS_TAG: Final = 0x45
COUNTER64_TAG: Final = 0x46
UINTEGER32_TAG: Final = 0x47

# Tags that stand for a missing value; every tag from the first one on is such an exception.
NO_SUCH_OBJECT: Final = 0x80
NO_SUCH_INSTANCE: Final = 0x81
END_OF_MIB_VIEW: Final = 0x82
FIRST_EXCEPTION_TAG: Final = NO_SUCH_OBJECT

RESPONSE_PDU: Final = 0xA2
V1_TRAP_PDU: Final = 0xA4
INFORM_PDU: Final = 0xA6
V2_TRAP_PDU: Final = 0xA7

TOO_BIG: Final = 1
NO_SUCH_NAME: Final = 2
GEN_ERR: Final = 5
NO_ACCESS: Final = 6
AUTHORIZATION_ERROR: Final = 16
ERROR_STATUS_NAMES: Final = {
    TOO_BIG: "tooBig",
    NO_SUCH_NAME: "noSuchName",
    3: "badValue",
    GEN_ERR: "genErr",
    NO_ACCESS: "noAccess",
    13: "resourceUnavailable",
    AUTHORIZATION_ERROR: "authorizationError",
}
