/* Migrations: db/schema/NNNN_name.sql, embedded, checksummed, each in its own transaction, all
 * under one advisory lock. */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "src/err.h"

#include <stdio.h>

struct db;

/* Applies what is missing and says so on `out` (may be NULL); creates today's partitions.
 * With dry_run only says. Errors: TA_CONFIG (the database is newer than this program, or a
 * migration was changed after it was applied), TA_DB. */
TA_MUST enum ta_rc migrate_run(struct db *db, bool dry_run, FILE *out, struct ta_err *err);
/* For serve and commands: TA_CONFIG unless the database is exactly at this program's schema, with
 * the sentence that names `trackai migrate`. */
TA_MUST enum ta_rc migrate_check(struct db *db, struct ta_err *err);

#endif
