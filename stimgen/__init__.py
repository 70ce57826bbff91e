"""stimgen: reproducible, citable texture and texform stimuli for vision science."""
