#include "src/cmd_db.h"

#include "db/cluster.h"
#include "db/conn.h"
#include "db/migrate.h"
#include "src/conf.h"

enum ta_rc cmd_database(const char **conninfo, struct ta_err *err)
{
	struct cluster c;
	char text[1200];
	if (!conf_has_database()) {
		enum ta_rc rc = cluster_at(&c, conf_data_dir(), err);
		if (rc)
			return rc;
		if (!cluster_exists(&c))
			return ta_fail(err, TA_CONFIG,
				"no database is named and there is none in %.100s; run `trackai "
				"up`, "
				"or set `database`",
				conf_data_dir());
		cluster_conninfo(&c, CLUSTER_DB, text, sizeof(text));
		conf_set(CONF_DATABASE, text, "private cluster");
	}
	*conninfo = conf_get(CONF_DATABASE);
	return TA_OK;
}

enum ta_rc cmd_db_open(const char *app, struct db **out, struct ta_err *err)
{
	const char *conninfo = NULL;
	enum ta_rc rc = cmd_database(&conninfo, err);
	return rc ? rc : db_open(conninfo, app, out, err);
}

enum ta_rc cmd_db_ready(const char *app, struct db **out, struct ta_err *err)
{
	struct db *db = NULL;
	enum ta_rc rc = cmd_db_open(app, &db, err);
	if (!rc)
		rc = migrate_check(db, err);
	if (rc)
		db_close(db);
	else
		*out = db;
	return rc;
}
