"""Why a parcel was not delivered, by what is to be done about it; the message is one clear line.

NotDelivered
    TryLater        a bad line, a busy server: the parcel waits, and all after it
    LicenceTrouble  the server does not accept this Plug: the same, slowly
    NotConfigured   the settings do not say where to, or say it wrongly: nothing was tried
    Refused         the server will not take this parcel: it is set aside, the next one may go
"""


class DeliveryError(Exception):
    """What a sender raises; returning is the only way of saying that the server has the parcel."""


class DeliveryDeferredError(DeliveryError):
    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after  # seconds, where the server asked for them


class LicenceRejectedError(DeliveryError):
    pass


class DeliveryNotConfiguredError(DeliveryError):
    pass


class DeliveryRejectedError(DeliveryError):
    pass
