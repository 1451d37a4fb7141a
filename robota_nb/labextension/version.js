/** The version of the Python package that this belongs to; the kernel is told, and compares. */
export const VERSION = '0.1.0';
