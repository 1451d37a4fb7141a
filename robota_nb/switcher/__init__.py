"""The switcher, in the kernel: what views are told, what they may do, and the widget.

docs/protocol.md has the messages.

The front end's part is in ``robota_nb/labextension/switcher``: plain modules, for the widget and the side panel.
"""
