/* trackai migrate: bring the database to this program's schema. */
#include "db/conn.h"
#include "db/migrate.h"
#include "src/cmd.h"
#include "src/conf.h"
#include "src/opt.h"

#include <stdio.h>

int cmd_migrate(int argc, char **argv)
{
	bool dry = false;
	struct ta_err err = {0};
	struct db *db = NULL;
	const struct opt opts[] = {{"dry-run", OPT_FLAG, &dry, "only say what would be done"}, {0}};
	if (opt_parse(&argc, argv, opts, &err) ||
		db_open(conf_get(CONF_DATABASE), "migrate", &db, &err) ||
		migrate_run(db, dry, stdout, &err)) {
		db_close(db);
		return cmd_fail("migrate", &err);
	}
	db_close(db);
	return 0;
}
