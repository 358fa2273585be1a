"""The domain model and the judgements on it."""
