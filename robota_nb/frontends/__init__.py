"""The front end's part, played by programs: the headless runner, papermill, pytest."""
