"""Define the errors of the collector.

CollectorError
├── PollError                   a printer gave no reading
├── RecordingError              a printer gave no recording
├── CommunityRejectedError      the agent responds, but not to this community
└── AgentLostError              the agent responded before and no longer does
"""


class CollectorError(Exception):
    """A printer could not be read."""


class PollError(CollectorError):
    """A printer gave no reading; `reason` says why in one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RecordingError(CollectorError):
    """A printer gave no recording; the text says why."""


class CommunityRejectedError(CollectorError):
    """The agent responds, but not to this community."""


class AgentLostError(CollectorError):
    """The agent responded before and does not respond to the smallest request any more."""
