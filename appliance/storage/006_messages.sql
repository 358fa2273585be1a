-- Version 6: code and parameters beside each text for people, as JSON, NULL where the text has none (see messages.py).
ALTER TABLE events ADD COLUMN code TEXT;
ALTER TABLE events ADD COLUMN params TEXT;
ALTER TABLE parcels ADD COLUMN error_message TEXT;
ALTER TABLE sightings ADD COLUMN failure_message TEXT;
ALTER TABLE counters ADD COLUMN held_message TEXT;
ALTER TABLE counters ADD COLUMN dispute_message TEXT;
