"""Define the errors of SNMP.

SnmpError
├── BerDecodeError              a datagram is not an SNMP message
├── SnmpNoResponseError         no response after all tries, or the address cannot be reached
├── SnmpInvalidResponseError    responses came, but none that can be decoded
├── SnmpBudgetExceededError     the seconds or packets for one printer are used up
└── SnmpStatusError             the agent responded with an error status
"""

from appliance.snmp.constants import ERROR_STATUS_NAMES


class SnmpError(Exception):
    """An SNMP request that gave no values, or a datagram that is none."""


class BerDecodeError(SnmpError):
    """A datagram is not an SNMP message."""


class SnmpNoResponseError(SnmpError):
    """No response after all tries, or the address cannot be reached."""


class SnmpInvalidResponseError(SnmpError):
    """Responses came, but none that can be decoded."""


class SnmpBudgetExceededError(SnmpError):
    """The seconds or packets for one printer are used up."""


class SnmpStatusError(SnmpError):
    """The agent responded with an error status of RFC 3416; `index` counts the objects from 1."""

    def __init__(self, status: int, index: int) -> None:
        super().__init__(f"{ERROR_STATUS_NAMES.get(status, f'error {status}')} at object {index}")
        self.status = status
        self.index = index
