"""Compare serial numbers and other texts that identify a printer."""


def identifier_key(text: str | None) -> str:
    """Return a serial number, name or model as it is compared: without white space and without case.

    One source prints blanks into a serial number and another does not.
    """
    return "".join((text or "").split()).casefold()


def is_same_serial(first: str | None, second: str | None) -> bool:
    """Return whether two serial numbers may be of one printer, where one source abbreviates.

    Only letters and digits count, leading zeros do not, and one number may be a part of the other.
    """
    plain, plain_other = (
        "".join(filter(str.isalnum, identifier_key(text))).lstrip("0") for text in (first, second)
    )
    return plain in plain_other or plain_other in plain
