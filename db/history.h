/* What a row of an editable table said before, who made it say so and why: for rules from their
 * versions (db/rule_history.h), for the other tables from the audit log, whose entries hold what
 * each change replaced. */
#ifndef DB_HISTORY_H
#define DB_HISTORY_H

#include "db/table.h"

#include <stdbool.h>

#define HISTORY_MAX 500 /* versions of a row that are read, the newest */

struct row_version {
	struct table_row row; /* as it was; a secret reads "set", and what it was nobody knows */
	int64_t at_us;
	const char *actor, *note; /* note: why, "" when nobody said */
	uint64_t secrets;         /* bit f: field f is a secret that this version set anew */
	bool now;                 /* what the row says today */
};
struct row_versions {
	struct row_version *v; /* newest first */
	size_t n;
	bool first; /* v[n - 1] is the row's first version; else nobody knows who made it, at_us 0
		     */
};

/* Versions of the row with this id, which exists. Errors: TA_NOTFOUND, TA_DB. */
TA_MUST enum ta_rc history_read(struct db *db, const struct table *t, int64_t id, struct arena *a,
	struct row_versions *out, struct ta_err *err);

/* Whether a field counts in a diff and differs; `before` NULL: from nothing. Secrets never do:
 * row_version.secrets says which are new. */
bool history_differs(const struct table *t, size_t field, const struct table_row *before,
	const struct table_row *now);

/* Makes the row say again what version `to` said, as a new version: everything but secrets and
 * what cannot be changed. `seen`: the version that was looked at, 0: whichever is current. `note`
 * NULL: "back to version N". Errors: TA_NOTFOUND, TA_INVALID (nothing differs), and those of
 * table_set. */
struct history_back {
	struct arena *mem;
	const char *actor, *note;
	int64_t id;
	int to, seen;
};
TA_MUST enum ta_rc history_rollback(
	struct db *db, const struct table *t, const struct history_back *back, struct ta_err *err);

#endif
