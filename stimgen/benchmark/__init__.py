"""What the engine is measured in, one thing a file, and the rivals that it is measured against."""
