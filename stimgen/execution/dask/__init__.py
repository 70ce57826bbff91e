"""Runs batches on Dask workers, on this computer or elsewhere."""
