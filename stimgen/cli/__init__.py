"""Contains the command line: reads arguments, calls a workflow and prints its result."""
