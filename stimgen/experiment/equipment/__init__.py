"""Devices beside the screen: monitors and triggers."""
