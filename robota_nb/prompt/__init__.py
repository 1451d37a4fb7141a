"""What goes into a prompt: the fields in braces, pictures, source code, the last error."""
