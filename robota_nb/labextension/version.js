/** The version of the Python package that this belongs to; the kernel compares it with its own. */
export const VERSION = '0.1.0';
