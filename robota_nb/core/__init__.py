"""The conversation model: pure Python, standard library only; knows nothing of Jupyter or of any server."""
