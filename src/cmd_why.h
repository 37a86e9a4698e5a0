/* The causes of one pixel's health for trackai health PIXEL, and what a platform's code means. */
#ifndef TA_CMD_WHY_H
#define TA_CMD_WHY_H

#include "src/cmd_out.h"
#include "src/err.h"

#include <stddef.h>

struct arena;
struct cause_found;
struct db;
struct health_row;

struct why {
	const char *store, *pixel;
	struct cause_found *found; /* n of them, in the arena; NULL: not asked for */
	size_t n;
};

/* Errors: those of cause_read(). */
TA_MUST enum ta_rc why_read(struct db *db, const struct health_row *row, struct arena *a,
	struct why *out, struct ta_err *err);
json_t *why_json(const struct why *w);
void why_print(const struct why *w);
/* Prints the row of "meta:190/463". Errors: TA_USAGE, TA_NOTFOUND. */
TA_MUST enum ta_rc why_code(const char *code, bool json, struct ta_err *err);

#endif
