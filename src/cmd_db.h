/* How commands reach the database: the one that is named, else the private one of `trackai up`. */
#ifndef TA_CMD_DB_H
#define TA_CMD_DB_H

#include "src/err.h"

struct db;

/* The conninfo for this process: the setting when a database is named ("" when PG* name it), else
 * that of the private cluster in the data dir, which is stored as the setting. Errors: TA_CONFIG
 * (none is named and there is no private cluster: names `trackai up`). */
TA_MUST enum ta_rc cmd_database(const char **conninfo, struct ta_err *err);
/* Opens it. */
TA_MUST enum ta_rc cmd_db_open(const char *app, struct db **out, struct ta_err *err);
/* Opens it and refuses a schema other than this program's. */
TA_MUST enum ta_rc cmd_db_ready(const char *app, struct db **out, struct ta_err *err);

#endif
