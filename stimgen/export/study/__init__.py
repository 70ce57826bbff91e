"""Studies as they are planned: frozen before they are run, and compared with what was run."""
