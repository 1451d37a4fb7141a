"""What git needs to know of a notebook with conversations: how to merge, compare, show and strip it."""
