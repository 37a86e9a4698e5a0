/* A draft rule set, from a file or from options, against the stores and pixels that exist. */
#ifndef TA_CMD_RULE_DRAFT_H
#define TA_CMD_RULE_DRAFT_H

#include "db/rules.h"

#include <jansson.h>

/* The rule that the options of the command line describe; texts may be NULL. */
struct draft_rule {
	const char *name, *expr, *logic, *action, *store, *pixel, *platform;
	long priority;
};
struct draft {
	struct route_rule *rules; /* in order */
	size_t n;
};

/* A JSON array as `trackai rule list --json` prints it; disabled rules are left out. Where both
 * forms of a condition are given, the expression counts. Errors: TA_INVALID, which names the
 * rule by its position. */
TA_MUST enum ta_rc draft_read(const struct catalog *c, const json_t *file, struct arena *a,
	struct draft *out, struct ta_err *err);
/* The rules in force and one more. Errors: TA_INVALID. */
TA_MUST enum ta_rc draft_extend(const struct catalog *c, const struct draft_rule *rule,
	struct arena *a, struct draft *out, struct ta_err *err);

#endif
