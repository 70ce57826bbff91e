"""The command line: arguments in, a workflow called, its results shown."""
