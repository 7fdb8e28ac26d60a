/** Of the program; written into bundles. */
export const VERSION = "0.1.0";
