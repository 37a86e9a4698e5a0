/* Stores, pixels and rules as routing sees them, at a revision of the catalogue. */
#ifndef DB_RULES_H
#define DB_RULES_H

#include "src/arena.h"
#include "src/decide.h"

struct db;

/* The rules in force at revision `rev`, compiled and in order; all live in the arena. A rule that
 * does not compile has prog NULL and is logged. Errors: TA_DB. */
TA_MUST enum ta_rc rules_at(struct db *db, int64_t rev, struct arena *a, struct route_rule **out,
	size_t *n, struct ta_err *err);

/* One consistent view of the catalogue. */
struct catalog {
	struct arena mem;
	int64_t rev;
	struct route_store *stores;
	size_t nstores;
	struct route_pixel *pixels; /* without deleted ones; by store, then id */
	size_t npixels;
	struct route_rule *rules;
	size_t nrules;
};

/* The newest revision; 0 before the first change. */
TA_MUST enum ta_rc catalog_rev(struct db *db, int64_t *rev, struct ta_err *err);
/* Reads all of it in one snapshot, outside a transaction; *c is released first. */
TA_MUST enum ta_rc catalog_load(struct db *db, struct catalog *c, struct ta_err *err);
void catalog_release(struct catalog *c);
/* NULL when there is none. */
const struct route_store *catalog_store(const struct catalog *c, int32_t id);
/* The pixels of a store: *n of them from the returned one on. */
const struct route_pixel *catalog_pixels(const struct catalog *c, int32_t store_id, size_t *n);

/* For explanations: the store and pixel (also a deleted one) of a route, with the rules in scope as
 * of `rev`; everything in the arena. Errors: TA_NOTFOUND, TA_DB. */
struct catalog_place {
	struct route_store store;
	struct route_pixel pixel;
};
TA_MUST enum ta_rc catalog_pixel_at(struct db *db, int32_t pixel_id, int64_t rev, struct arena *a,
	struct catalog_place *out, struct ta_err *err);

#endif
