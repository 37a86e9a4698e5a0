/* A draft rule set, from a file, from options or from a rule that is being edited, against the
 * stores and pixels that exist. */
#ifndef DB_DRAFT_H
#define DB_DRAFT_H

#include "db/rules.h"

#include <jansson.h>

/* The rule that the options of the command line describe; texts may be NULL. */
struct draft_rule {
	const char *name, *expr, *logic, *action, *with, *store, *pixel, *platform;
	long priority;
	bool shadow;
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
/* The rules in force with one of them changed: `rule`, an object of such an array, stands in the
 * place of the rule with its id; without an id it is one more; disabled it is gone. Errors:
 * TA_INVALID. */
TA_MUST enum ta_rc draft_change(const struct catalog *c, const json_t *rule, struct arena *a,
	struct draft *out, struct ta_err *err);

#endif
