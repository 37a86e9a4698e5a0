/* What a platform itself says of a pixel's events (table pixel_quality): today Pinterest's event
 * quality score and the tags of the ad account, read by the puller.
 *
 * scores: [{"status","source","platform","period","components":[{"component","event","coverage",
 * "overlap","issues":["…"]}]}], coverage and overlap in percent; tags: [{"id","name","status",
 * "enhanced_match","fired_ms"}]. Any member may be missing; words are the platform's. */
#ifndef DB_QUALITY_H
#define DB_QUALITY_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

struct quality_pixel {
	int32_t id;
	const char *account;
	uint8_t uid[16];
	const void *token; /* sealed */
	size_t token_len;
};
/* Pixels of the platform that may send, whose token was taken since `taken_us`, and that nobody was
 * asked about since `asked_us`; at most 200, the longest not asked first. *out lives in the arena.
 */
struct quality_due {
	const char *platform;
	int64_t taken_us, asked_us;
};
TA_MUST enum ta_rc quality_due(struct db *db, const struct quality_due *due, struct arena *a,
	struct quality_pixel **out, size_t *n, struct ta_err *err);

struct quality_row {
	int32_t pixel_id;
	int64_t asked_us, read_us;
	const char *error, *scores, *tags; /* "" none */
};
/* Keeps what was read before where the row has an error. */
TA_MUST enum ta_rc quality_write(struct db *db, const struct quality_row *row, struct ta_err *err);
/* asked_us = 0: nobody was asked. Strings live in the arena. */
TA_MUST enum ta_rc quality_get(struct db *db, int32_t pixel_id, struct arena *a,
	struct quality_row *out, struct ta_err *err);

#endif
