"""The command line: reads arguments, calls a workflow and shows its result."""
