/* The private PostgreSQL cluster of `trackai up` and `trackai demo`: a data directory of its own, a
 * Unix socket only, fsync on. Nothing here runs as root: PostgreSQL refuses it. */
#ifndef DB_CLUSTER_H
#define DB_CLUSTER_H

#include "src/err.h"

#include <stddef.h>

#define CLUSTER_DB "trackai"

struct cluster {
	char dir[512];    /* the data dir given */
	char pgdata[560]; /* <dir>/pg */
	char socket[560]; /* <dir>/sock, 0700 */
	char log[560];    /* <dir>/log/postgresql.log */
	char bin[256];    /* directory of initdb and postgres, "" until looked for */
	int major;        /* of bin */
};

/* Names the paths of a cluster in `dir`. Errors: TA_CONFIG (the socket's path would be longer than
 * the 107 bytes that a Unix socket address may have). */
TA_MUST enum ta_rc cluster_at(struct cluster *c, const char *dir, struct ta_err *err);
bool cluster_exists(const struct cluster *c); /* initdb has completed there once */
/* out of >= 640 bytes. */
void cluster_conninfo(const struct cluster *c, char *out, size_t size);

#endif
