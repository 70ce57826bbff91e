"""What each command does. One file a command; the only floor that knows all the steps."""
