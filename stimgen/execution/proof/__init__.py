"""Proves that metamers are nearer to their sources than unrelated pictures are to each other."""
