-- Version 3: what another source says against a counter; since when a counter is no longer told.
ALTER TABLE counters ADD COLUMN dispute TEXT;
ALTER TABLE counters ADD COLUMN missing_since INTEGER;
