/* Gathers what speaks for the causes of one pixel's trouble (src/cause.h): its settings and state,
 * the stages, the newest events of its store with their routes, verdicts, documents and bodies, and
 * what the listener turned away. Constant bounds; under 100 ms on ten million events. */
#ifndef DB_CAUSE_H
#define DB_CAUSE_H

#include "src/cause.h"
#include "src/err.h"

struct db;

/* The causes of a pixel at a moment, likeliest first; out has room for CAUSES. The connection is
 * used alone meanwhile (consoles: in a helper thread). Errors: TA_NOTFOUND, TA_DB. */
TA_MUST enum ta_rc cause_read(struct db *db, int32_t pixel_id, int64_t now_us,
	struct cause_found *out, size_t *n, struct ta_err *err);

#endif
