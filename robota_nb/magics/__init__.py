"""``%robota`` and ``%%robota``: what can be said, and what each command does."""
