/* Parts of `trackai event` and `trackai delivery`. */
#ifndef TA_CMD_EVENT_H
#define TA_CMD_EVENT_H

#include "src/err.h"

#include <jansson.h>

struct db;
struct find_event;

/* trackai event normalise --topic T FILE; argv[0] is "normalise". Prints one document per line, or
 * the typed failure. Needs no database. Returns the exit status: 4 for a failure. */
int event_normalise(int argc, char **argv);
/* trackai event list, tail, show; trackai delivery list. argv[0] is the verb. */
int event_list(int argc, char **argv);
int event_tail(int argc, char **argv);
int event_show(int argc, char **argv);
/* What `event show --json` prints of an event that find_exchanges() completed; *out is owned. */
TA_MUST enum ta_rc event_show_json(
	struct db *db, const struct find_event *e, json_t **out, struct ta_err *err);
int delivery_list(int argc, char **argv);
/* src/cmd_release.c: trackai delivery release. */
int delivery_release(int argc, char **argv);

#endif
