/* The lines on view as a file, for a spreadsheet or a script. */
#ifndef UI_EXPORT_H
#define UI_EXPORT_H

#include "ui/feed.h"

enum export_form { EXPORT_CSV, EXPORT_JSON };

/* Appends the lines that the feed shows. CSV: a header line, RFC 4180 quoting, and an apostrophe in
 * front of what a spreadsheet would take for a formula. JSON: one array, ids as text. */
void export_lines(struct buf *b, const struct feed *f, const struct data *d, enum export_form form);
/* Writes them to `path` ("": trackai-events-20261122-104206.csv in the working directory), which
 * must not exist yet, readable by the owner only. The name written goes to `name`. Errors: TA_IO.
 */
TA_MUST enum ta_rc export_file(const struct feed *f, const struct data *d, enum export_form form,
	char name[256], struct ta_err *err);

/* For other lists: appends one line of CSV, quoted as above. */
void export_cells(struct buf *b, const char *const *cells, size_t n);
/* Writes the bytes to trackai-WHAT-20261122-104206.csv in the working directory, as export_file()
 * does; the name written goes to `name`. Errors: TA_IO. */
TA_MUST enum ta_rc export_bytes(
	const struct buf *b, const char *what, int64_t now_us, char name[256], struct ta_err *err);

#endif
