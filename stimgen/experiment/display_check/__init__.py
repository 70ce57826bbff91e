"""The card and the measurements by which a display is set up."""
