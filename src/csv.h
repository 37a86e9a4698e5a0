/* Reading CSV (RFC 4180): comma, CR LF or LF, quoted fields with doubled quotes. */
#ifndef TA_CSV_H
#define TA_CSV_H

#include "src/err.h"

#include <stddef.h>

struct arena;

struct csv {
	const char *at, *end;
	size_t line; /* of the record that was read last, from 1 */
	size_t next; /* where the next one begins */
};

#define CSV_MAX_CELLS 64

void csv_open(struct csv *c, const char *text, size_t len);
/* The next record's cells, in the arena; *n 0 at the end of the text. Empty lines are skipped, a
 * byte order mark too. Errors: TA_INVALID with the line: a quote that is not closed or stands amid
 * a cell, more than CSV_MAX_CELLS cells, a NUL. */
TA_MUST enum ta_rc csv_next(
	struct csv *c, struct arena *a, const char **cells, size_t *n, struct ta_err *err);

#endif
