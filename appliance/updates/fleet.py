"""What a fleet server (Eclipse hawkBit) wants of this Plug, done step by step."""

PROBLEM = "update.fleet.problem"
