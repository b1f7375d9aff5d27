/** Matches what both databases read as a number, and no more digits than either can hold. */
export const NUMBER_PATTERN = String.raw`^\s*-?[0-9]{1,15}(\.[0-9]{1,15})?\s*$`

/** Function of the connection that plugins' queries run on in SQLite; NULL for what {@link NUMBER_PATTERN} does not fit. */
export const NUMBER_FUNCTION = 'plugin_number'
