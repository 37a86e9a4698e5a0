#include "db/cluster.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum ta_rc cluster_at(struct cluster *c, const char *dir, struct ta_err *err)
{
	static const char name[] = "/sock/.s.PGSQL.5432";
	struct sockaddr_un un;
	*c = (struct cluster){0};
	if (strlen(dir) + sizeof(name) > sizeof(un.sun_path))
		return ta_fail(err, TA_CONFIG,
			"the data dir %.120s is too long for a Unix socket in it (%zu bytes at "
			"most); "
			"set `data` to a shorter path",
			dir, sizeof(un.sun_path) - sizeof(name));
	snprintf(c->dir, sizeof(c->dir), "%s", dir);
	snprintf(c->pgdata, sizeof(c->pgdata), "%s/pg", dir);
	snprintf(c->socket, sizeof(c->socket), "%s/sock", dir);
	snprintf(c->log, sizeof(c->log), "%s/log/postgresql.log", dir);
	return TA_OK;
}

bool cluster_exists(const struct cluster *c)
{
	char path[600];
	snprintf(path, sizeof(path), "%s/PG_VERSION", c->pgdata);
	return access(path, F_OK) == 0;
}

void cluster_conninfo(const struct cluster *c, char *out, size_t size)
{
	snprintf(out, size, "host='%s' user=trackai dbname=" CLUSTER_DB, c->socket);
}
