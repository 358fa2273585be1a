"""Define the errors of reading a printer's embedded web server.

EwsError
├── EwsUnavailableError             no such page, no answer, too large, or not what was expected
│   └── EwsConnectionError          the printer takes no connection
└── EwsLoginRequiredError           a password is required, and none is configured
    └── EwsLoginRejectedError       the printer rejects the configured password
"""


class EwsError(Exception):
    """A page could not be read; the text gives the reason in one line."""


class EwsUnavailableError(EwsError):
    """The page is absent, not answered, too large, or not what was expected."""


class EwsConnectionError(EwsUnavailableError):
    """The printer takes no connection."""


class EwsLoginRequiredError(EwsError):
    """The page requires a password, and the discovery entry has none."""


class EwsLoginRejectedError(EwsLoginRequiredError):
    """The printer rejects the password of the discovery entry."""
