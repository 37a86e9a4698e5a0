/* Health of pixels in the database: the folder keeps the book (src/health.h), judges every few
 * seconds and leaves the result in the table health, one row a pixel, which consoles and commands
 * read. */
#ifndef DB_HEALTH_H
#define DB_HEALTH_H

#include "src/coverage.h"
#include "src/err.h"
#include "src/health.h"

#include <stdint.h>

struct arena;
struct db;
struct ledger_watch;

/* Fills a new book from the rollups; the caller is the folder, so nothing is folded meanwhile. */
TA_MUST enum ta_rc health_load(
	struct health_book *b, struct db *db, int64_t now_us, struct ta_err *err);

/* What was written last, so that only news is written. */
struct health_keeper {
	struct health_book *book; /* owned */
	struct health_kept *kept; /* owned */
	size_t n;
	struct health *judged;    /* owned: of the last look, one for each of … */
	struct alert_look *looks; /* … these, owned */
	size_t nlooks;
	const struct ledger_watch *ledger; /* borrowed, NULL: nobody counts */
};
void health_keeper_release(struct health_keeper *k);
/* Judges every pixel that is not deleted; writes those whose cause or any status changed,
 * at the latest after 15 seconds when anything else about it did. */
TA_MUST enum ta_rc health_write(
	struct health_keeper *k, struct db *db, int64_t now_us, struct ta_err *err);

/* Reads what stands in health.parts; components that are not there stay unknown. Scratch in the
 * arena. */
void health_take_parts(struct arena *a, const char *text, struct health *h);

struct health_row {
	int32_t pixel_id;
	const char *store, *pixel, *platform;
	int64_t at_us; /* judged; 0: never yet */
	struct health health;
};
/* Every pixel by store and name, those of one pixel ("STORE/PIXEL", a name or an id) when `name` is
 * given. *out lives in the arena. Errors: TA_NOTFOUND, TA_DB. */
TA_MUST enum ta_rc health_read(struct db *db, const char *name, struct arena *a,
	struct health_row **out, size_t *n, struct ta_err *err);

/* What a pixel's events of one name carried: those received today and yesterday, and in the seven
 * days before, by the store's days. */
struct health_keys {
	int name; /* enum event_name */
	struct coverage_count now, before;
};
struct health_keys_list {
	struct health_keys *keys; /* in the arena, most frequent first */
	size_t n;
};
/* As of the moment the row was judged. */
TA_MUST enum ta_rc health_keys_read(struct db *db, const struct health_row *of, struct arena *a,
	struct health_keys_list *out, struct ta_err *err);

#endif
