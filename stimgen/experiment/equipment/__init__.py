"""Connects to PsychoPy, its monitors, and equipment beside the screen."""
