"""Define the errors of vendor files.

VendorFileError
"""


class VendorFileError(Exception):
    """A vendor file is invalid; the message names the file, the table and the key."""
