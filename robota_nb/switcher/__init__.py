"""The switcher, in the kernel: keeps views of sessions and chats up to date, does what they ask for; and the widget.

docs/protocol.md has the messages. The part in the page is in ``robota_nb/labextension/switcher``: plain modules, which
the widget and the side panel share.
"""
