"""The file that records a session, line by line."""
