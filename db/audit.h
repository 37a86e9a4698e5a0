/* The audit log: who changed what, in the change's own transaction. Entries are chained:
 *   hash = SHA-256 of prev hash, at, actor, action, object, before, after,
 * where the numbers are 8 bytes, big endian, and each text is its length (8 bytes) and its bytes;
 * the first entry's prev hash is 32 zero bytes. One advisory lock orders changes, so that revisions
 * and entries appear in the order in which they commit. */
#ifndef DB_AUDIT_H
#define DB_AUDIT_H

#include "src/err.h"

#include <stdint.h>

struct arena;
struct db;

struct audit_entry {
	int64_t at_us;
	const char *actor;          /* "user:anna", "role:router" */
	const char *action;         /* "store.add" */
	const char *object;         /* "store 3 (Shop)" */
	const char *before, *after; /* compact JSON of what changed, "" if none; never a secret */
	const char *note;
};

/* Takes the lock until the transaction ends: first statement of every change. */
TA_MUST enum ta_rc audit_lock(struct db *db, struct ta_err *err);
/* Inside a transaction; takes the lock itself when the caller has not. NULL texts count as "". */
TA_MUST enum ta_rc audit_add(struct db *db, const struct audit_entry *e, struct ta_err *err);
/* Takes the next revision of the catalogue and tells every stage (NOTIFY config, payload the
 * revision), inside the change's transaction and behind audit_lock. */
TA_MUST enum ta_rc revision_take(
	struct db *db, const char *actor, const char *what, int64_t *rev, struct ta_err *err);
/* Who changed an object ("rule 12") last, when, and what the newest n changes of it set (`after` of
 * each, one a line). Looks at the 5,000 newest entries; actor NULL: there is none. */
struct audit_last {
	const char *actor, *set;
	int64_t at_us;
};
TA_MUST enum ta_rc audit_last(struct db *db, const char *object, int n, struct arena *a,
	struct audit_last *out, struct ta_err *err);
/* Walks the chain. *bad = id of the first entry that does not fit, 0 when all do. */
TA_MUST enum ta_rc audit_verify(struct db *db, int64_t *entries, int64_t *bad, struct ta_err *err);

/* Who runs this process: "user:NAME" (SUDO_USER under sudo). Borrowed. */
const char *audit_actor(void);

#endif
