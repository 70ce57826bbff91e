"""Makes batches of stimuli, on this computer or on others."""
