/* trackai migrate: bring the database to this program's schema and see that it has sealing keys. */
#include "db/conn.h"
#include "db/migrate.h"
#include "db/secret.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/conf.h"
#include "src/opt.h"

#include <stdio.h>

int cmd_migrate(int argc, char **argv)
{
	bool dry = false;
	struct ta_err err = {0};
	struct db *db = NULL;
	const struct opt opts[] = {{"dry-run", OPT_FLAG, &dry, "only say what would be done"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc)
		rc = cmd_db_open("migrate", &db, &err);
	if (!rc)
		rc = migrate_run(db, dry, stdout, &err);
	if (!rc && !dry)
		rc = secret_make_keys(db, conf_key_dir(), stdout, &err);
	db_close(db);
	return rc ? cmd_fail("migrate", &err) : 0;
}
