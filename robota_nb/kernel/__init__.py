"""One IPython shell: its hooks, and the app that they lead to."""
