"""The IPython side: magics, their command line, prompts, and how answers are shown."""
