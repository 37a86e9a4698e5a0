/* The private PostgreSQL cluster of `trackai up` and `trackai demo`: a data directory of its own, a
 * Unix socket only, fsync on. Nothing here runs as root: PostgreSQL refuses it. */
#ifndef DB_CLUSTER_H
#define DB_CLUSTER_H

#include "src/err.h"

#include <stddef.h>
#include <sys/types.h>

#define CLUSTER_DB        "trackai"
#define CLUSTER_MIN_MAJOR 15

struct cluster {
	char dir[512];    /* the data dir given */
	char pgdata[560]; /* <dir>/pg */
	char socket[560]; /* <dir>/sock, 0700 */
	char log[560];    /* <dir>/log/postgresql.log */
	char bin[256];    /* directory of initdb and postgres, "" until cluster_programs */
	int major;        /* of bin */
};

/* Names the paths of a cluster in `dir`. Errors: TA_CONFIG (the socket's path would be longer than
 * the 107 bytes that a Unix socket address may have; a relative path). */
TA_MUST enum ta_rc cluster_at(struct cluster *c, const char *dir, struct ta_err *err);
bool cluster_exists(const struct cluster *c); /* initdb has completed there once */
/* Major version that made the data, 0 when there is none. */
int cluster_data_major(const struct cluster *c);
/* out of >= 1200 bytes. */
void cluster_conninfo(const struct cluster *c, const char *database, char *out, size_t size);

/* Finds the programs: of the data's own major, else the newest of at least 15, below
 * /usr/lib/postgresql or in PATH. Errors: TA_CONFIG with the next step (not installed; data of a
 * major that is not installed: names pg_upgrade). */
TA_MUST enum ta_rc cluster_programs(struct cluster *c, struct ta_err *err);
/* The same with the places given, for tests. */
TA_MUST enum ta_rc cluster_programs_in(
	struct cluster *c, const char *root, const char *path, struct ta_err *err);

/* Makes the directories and, the first time, the cluster (initdb, in a directory that is renamed
 * when complete). Errors: TA_CONFIG (root; too little space), TA_IO (initdb failed; its words). */
TA_MUST enum ta_rc cluster_init(struct cluster *c, struct ta_err *err);

/* A running server of this data directory, 0 if there is none. */
pid_t cluster_pid(const struct cluster *c);
/* Runs the server in this process: for super_fork and super_run; arg is the struct cluster.
 * Returns only when the server cannot be executed. */
int cluster_exec(void *arg);

struct cluster_server {
	pid_t pid;
	bool adopted; /* it ran already; not our child */
};
/* Starts the server, or adopts one that runs already, waits until it takes connections (crash
 * recovery included) and makes the database. A pid file whose process is no server of ours is
 * removed. Errors: TA_IO/TA_TIMEOUT with the server's own last words and the next step. */
TA_MUST enum ta_rc cluster_start(struct cluster *c, struct cluster_server *out, struct ta_err *err);
/* Stops a running server (fast shutdown) and waits. *was tells whether one ran. Errors: TA_TIMEOUT.
 */
TA_MUST enum ta_rc cluster_stop(const struct cluster *c, bool *was, struct ta_err *err);

#endif
