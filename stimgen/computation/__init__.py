"""Contains computations whose bits do not depend on the threads or the batch; it knows nothing of stimuli."""
