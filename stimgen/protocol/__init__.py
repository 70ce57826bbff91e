"""Reads stimulus protocols, and plans the stimuli that they describe."""
