/* Parts of trackai campaign. */
#ifndef TA_CMD_CAMPAIGN_H
#define TA_CMD_CAMPAIGN_H

#include "src/err.h"

#include <stdint.h>

struct arena;
struct db;

#define DAY_US INT64_C(86400000000)

/* A store by its name. Errors: TA_USAGE (none given), TA_NOTFOUND. */
struct campaign_store {
	int32_t id;
	const char *name, *currency; /* in the arena */
};
TA_MUST enum ta_rc campaign_store(struct db *db, const char *name, struct arena *a,
	struct campaign_store *out, struct ta_err *err);

/* The days of --from and --to, whose default is the last 30 days with today: from <= day < to. */
struct campaign_time {
	const char *from, *to; /* as given, NULL */
	int64_t from_us, to_us;
	int32_t days[2];
};
TA_MUST enum ta_rc campaign_time(struct campaign_time *t, struct ta_err *err);

int campaign_import(int argc, char **argv);
int campaign_list(int argc, char **argv);
int campaign_roi(int argc, char **argv);

#endif
