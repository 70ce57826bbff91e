"""From journals to the files that others read. One file a format."""
