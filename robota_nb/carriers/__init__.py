"""Where a snapshot travels: the open document, the notebook file, a cell's output."""
