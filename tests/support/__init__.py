"""What tests share: ways to drive the real parts, and sayings of what must hold."""
