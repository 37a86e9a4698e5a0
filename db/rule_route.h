/* Rules that route: whether their target is there, and whether events could go in a circle. */
#ifndef DB_RULE_ROUTE_H
#define DB_RULE_ROUTE_H

#include "src/err.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct db;

/* The rule that is to be saved. */
struct rule_route {
	int64_t id;                 /* 0: a new one */
	int64_t store_id, pixel_id; /* scope, 0: open */
	const char *platform;       /* NULL: all */
	const char *with;           /* the action's argument */
	bool live;                  /* enabled, and no shadow: only such rules make circles */
};

/* Inside the change's transaction. In every store of the scope that has the target, no way over the
 * rules in force may lead from the target back. A rule with one store must find its target there;
 * one for all stores in at least one. Errors: TA_INVALID with err->field "with", TA_DB. */
TA_MUST enum ta_rc rule_route_check(
	struct db *db, const struct rule_route *rule, struct arena *a, struct ta_err *err);

#endif
