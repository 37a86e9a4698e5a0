/* What a database can be ill of before the pipeline feels it: for `trackai doctor`. Changes
 * nothing; what this login may not see is passed over. */
#ifndef DB_CHECKUP_H
#define DB_CHECKUP_H

#include "src/err.h"

#include <stdint.h>

struct db;

enum checkup_state { CHECKUP_OK, CHECKUP_WARN, CHECKUP_FAIL };

struct checkup {
	/* One finding: what, where, what to do. `check` is one of: settings, connections, server
	 * clock, locks, transactions, prepared transactions, wal, wal slot, wal archive,
	 * checkpoints, days to full, retention, expiring. */
	void (*say)(void *arg, enum checkup_state state, const char *check, const char *text);
	void *arg;
	int64_t patience_us; /* how long a wait for a lock may last */
	int64_t long_us;     /* how long a transaction may */
	int64_t reserve;     /* bytes of disk that stay free */
};

/* Looks at everything; a check that cannot be made is a finding (server). Errors: TA_DB (the
 * connection is lost). */
TA_MUST enum ta_rc checkup_run(struct db *db, const struct checkup *c, struct ta_err *err);

#endif
