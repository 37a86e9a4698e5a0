/* What rules did in the last 24 hours, as `trackai rule list` and `rule show` tell it. */
#ifndef TA_CMD_RULE_STAT_H
#define TA_CMD_RULE_STAT_H

#include "db/rule_stat.h"

#include <jansson.h>

struct buf;

/* Since the hour that began 24 hours ago. Errors: TA_DB. */
TA_MUST enum ta_rc cmd_rule_stats(
	struct db *db, struct arena *a, struct rule_stats *out, struct ta_err *err);
/* New reference: {"matched","failed","shadow":{…}}, counts of deliveries. */
json_t *cmd_rule_stat_json(const struct rule_stats *all, int64_t rule_id);
/* Appends "12 matched, 3 failed (missing)", "would have: 40 filtered"; "-" for nothing. */
void cmd_rule_stat_text(struct buf *b, const struct rule_stats *all, int64_t rule_id);

#endif
