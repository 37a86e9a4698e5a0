/* trackai event show ID --diff: what was sent against the last good one and the complaint. */
#ifndef TA_CMD_EVENT_DIFF_H
#define TA_CMD_EVENT_DIFF_H

#include "src/err.h"

#include <jansson.h>

struct db;
struct find_event;

/* With its exchanges (find_exchanges()); pixel: a name, NULL all. *out is a new array, one object
 * per delivery that was sent. Errors: TA_NOTFOUND (no such pixel, nothing sent), TA_DB. */
TA_MUST enum ta_rc event_diff_json(struct db *db, const struct find_event *e, const char *pixel,
	json_t **out, struct ta_err *err);
void event_diff_print(const json_t *diffs);

#endif
