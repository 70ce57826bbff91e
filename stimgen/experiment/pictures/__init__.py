"""The pictures that an experiment takes from stimulus sets."""
