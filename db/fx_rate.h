/* Exchange rates in the database (table fx_rate). */
#ifndef DB_FX_RATE_H
#define DB_FX_RATE_H

#include "src/err.h"
#include "src/fx.h"

#include <stdint.h>

struct arena;
struct db;

struct fx_stored {
	int64_t added, same;
	int64_t kept; /* there was another rate of that day, and it stays */
};
/* Adds rates in the caller's transaction; what is there stays. `source`: "ecb", or who set them. */
TA_MUST enum ta_rc fx_store(struct db *db, const struct fx *fx, const char *source, int64_t now_us,
	struct fx_stored *out, struct ta_err *err);
/* All rates of these days and of FX_MOST_DAYS before them, sorted; in the arena. */
TA_MUST enum ta_rc fx_load(struct db *db, int32_t first, int32_t last, struct arena *a,
	struct fx *out, struct ta_err *err);

#endif
