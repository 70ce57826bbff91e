"""Runs the command line: `python -m stimgen` is the same as `stimgen`."""

from stimgen.cli.main import main

if __name__ == "__main__":
    main()
