"""Tests of what the Plug knows."""
