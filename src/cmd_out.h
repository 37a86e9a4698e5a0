/* What commands print: aligned columns for people, one JSON value for programs. Foreign text is
 * cleaned of control bytes before it reaches a terminal. */
#ifndef TA_CMD_OUT_H
#define TA_CMD_OUT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define OUT_COLUMNS 24

/* Rows of text under headings; cells are copied. */
struct out_table {
	const char *heads[OUT_COLUMNS];
	size_t ncols, nrows, size;
	char **cells; /* nrows * ncols */
};

void out_head(struct out_table *t, const char *head);
void out_cell(struct out_table *t, const char *text); /* NULL: "-"; fills row by row */
void out_cellf(struct out_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void out_print(struct out_table *t); /* to stdout, and out_free() */
void out_free(struct out_table *t);
const char *out_at(const struct out_table *t, size_t i); /* the nth cell, cleaned */
/* Appends foreign text so that it can go to a terminal (src/utf8.h). */
void out_clean(struct buf *b, const char *text);

/* Prints one JSON value with a line end and drops the reference. */
void out_json(json_t *j);
/* {"amount":"12.34","currency":"EUR"}; null without a currency. */
json_t *out_money(int64_t minor, const char *currency);
json_t *out_text(const char *p, size_t n); /* bytes that are not UTF-8 become U+FFFD */
json_t *out_id(int64_t id);                /* as a string */
json_t *out_time(int64_t us);              /* RFC 3339, null for 0 */

#endif
