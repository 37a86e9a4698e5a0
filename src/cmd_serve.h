/* What `trackai serve`, `trackai up` and `trackai demo` share: the roles as supervised children. */
#ifndef TA_CMD_SERVE_H
#define TA_CMD_SERVE_H

#include "src/role.h"
#include "src/super.h"

#define SERVE_ROLES 8

struct serve {
	size_t n;
	struct role roles[SERVE_ROLES];
	int (*run[SERVE_ROLES])(const struct role *role);
	struct serve_slot {
		struct serve *serve;
		size_t i;
	} slots[SERVE_ROLES];
};

/* Picks the roles of a comma list (NULL: all), proves that the database is one that may be written
 * to and is migrated, reads the private keys that the roles need and sees that the listener's
 * address is free. Errors: TA_USAGE (unknown role), TA_CONFIG, TA_DB. */
TA_MUST enum ta_rc serve_prepare(
	struct serve *s, const char *roles, const char *database, struct ta_err *err);
/* Fills `out` (room for s->n) with the children; returns how many. `s` must outlive them. */
size_t serve_children(struct serve *s, struct super_child *out, int group);
/* Opens <data dir>/log/trackai.log (made when missing). */
TA_MUST enum ta_rc serve_open_log(bool also_stderr, struct ta_err *err);
void serve_wipe(struct serve *s);

#endif
