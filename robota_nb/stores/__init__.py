"""Where entries wait until the notebook has saved them."""
