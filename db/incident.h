/* What stood around an incident: the sections of `trackai bundle` that rows answer. Times are the
 * program's, of the window that the bundle is about. */
#ifndef DB_INCIDENT_H
#define DB_INCIDENT_H

#include "src/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

struct incident {
	const int32_t *pixels;
	size_t npixels;
	const int64_t *events; /* shown in full */
	size_t nevents;
	int64_t from_us, to_us;
};

/* Adds to `into`, as arrays: schema, stores, pixels, pixel_versions (that exchanges of the window
 * were built with), rules (in force when the events were routed), work (what waits of the events),
 * health, circuits, alerts, counts (per five minutes and disposition), heartbeats, audit. An array
 * that reached its bound is named in `cut`. Never a secret; people are not taken out yet
 * (src/redact.h). Errors: TA_DB. */
TA_MUST enum ta_rc incident_read(
	struct db *db, const struct incident *in, json_t *into, json_t *cut, struct ta_err *err);
/* Events of the pixels that were received in the window, those that failed first, then those that
 * wait, then the newest; at most `limit`, in the arena. Errors: TA_DB. */
struct incident_found {
	int64_t *ids;
	size_t n;
	int64_t total; /* with those beyond the limit, of the newest 20,000 */
};
TA_MUST enum ta_rc incident_events(struct db *db, const struct incident *in, struct arena *a,
	size_t limit, struct incident_found *out, struct ta_err *err);

#endif
