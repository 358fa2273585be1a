-- Version 5: what a person should know of the last reading, as {"failures": [["alerts", "why"], ...], "notes": [...]}.
ALTER TABLE sightings ADD COLUMN remarks TEXT NOT NULL DEFAULT '{}';
