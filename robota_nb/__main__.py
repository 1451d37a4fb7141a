"""``python -m robota_nb`` is the command ``robota-nb``."""

from robota_nb.cli.main import main

main(prog_name="robota-nb")
