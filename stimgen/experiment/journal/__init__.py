"""Writes, reads and replays the journal, the file that records a session."""
