"""The pixels of every frame of a trial."""
