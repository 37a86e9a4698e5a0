/* The versions of rules: who made them, when and why, and from which revision on they decided. */
#ifndef DB_RULE_HISTORY_H
#define DB_RULE_HISTORY_H

#include "db/table.h"

#include <stdbool.h>

struct buf;

/* One version; row.v is in the order of table_rule's fields. */
struct rule_version {
	struct table_row row;
	int64_t from_rev, to_rev; /* in force from, until before; to_rev 0: still */
	bool deleted;             /* nothing came after it, and it is in force no more */
};
struct rule_versions {
	struct rule_version *v; /* by id, then version, newest first */
	size_t n;
};

/* Versions of one rule, 0: of all, the 10,000 newest. Errors: TA_DB. */
TA_MUST enum ta_rc rule_versions(
	struct db *db, int64_t id, struct arena *a, struct rule_versions *out, struct ta_err *err);
/* The id that a name or number means, also of a deleted rule. Errors: TA_NOTFOUND, TA_INVALID (a
 * name that several deleted rules had), TA_DB. */
TA_MUST enum ta_rc rule_history_id(struct db *db, const char *ref, int64_t *id, struct ta_err *err);
/* Makes a new version that says what version `to` said, also of a deleted rule, which so comes
 * back. `note` NULL: "back to version N". Errors: TA_NOTFOUND, and those of table_set. */
struct rule_back {
	struct arena *mem;
	const char *actor, *note;
	int64_t id;
	int to, seen; /* seen: the version that was looked at, 0: whichever is current */
};
TA_MUST enum ta_rc rule_rollback(struct db *db, const struct rule_back *back, struct ta_err *err);

/* Appends how `now` differs from `before` (NULL: from nothing), a line "- field: old" and a line
 * "+ field: new" for each field, `indent` in front. Author, time and note are not compared. */
void rule_diff(struct buf *b, const struct table_row *before, const struct table_row *now,
	const char *indent);
/* Whether the field counts in a diff and differs. */
bool rule_field_differs(size_t field, const struct table_row *before, const struct table_row *now);

#endif
