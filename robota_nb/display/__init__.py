"""How answers are shown, and what commands say."""
