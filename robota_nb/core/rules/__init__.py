"""The rules: what may be done with a record, and which answer an ask gets."""
