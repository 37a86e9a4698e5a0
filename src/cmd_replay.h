/* Parts of `trackai delivery replay`. */
#ifndef TA_CMD_REPLAY_H
#define TA_CMD_REPLAY_H

#include "db/replay.h"

#include <jansson.h>
#include <stdbool.h>

/* src/cmd_replay_plan.c: what a plan says. */
json_t *replay_plan_json(const struct replay_ask *ask, const struct replay_plan *plan);
void replay_plan_print(const struct replay_ask *ask, const struct replay_plan *plan);

/* src/cmd_replay_list.c: `list`, `show ID`, `cancel ID`; argv[0] is the verb. */
int replay_cmd_list(int argc, char **argv);
int replay_cmd_show(int argc, char **argv);
int replay_cmd_cancel(int argc, char **argv);

/* src/cmd_replay_ids.c: EVENT[/PIXEL] by comma, blank or line end, from the text, @FILE or -.
 * *picks lives in the arena. Errors: TA_USAGE, TA_NOTFOUND, TA_IO, TA_DB. */
struct replay_picks {
	struct replay_pick *v;
	size_t n;
};
TA_MUST enum ta_rc replay_read_ids(struct db *db, const char *ids, struct arena *a,
	struct replay_picks *out, struct ta_err *err);

#endif
