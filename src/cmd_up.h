/* The embedded default: a private cluster and `serve` beside it, in the background. One supervisor
 * per data dir; it holds a record lock on <dir>/run/up.pid, so a stale file means nothing. */
#ifndef TA_CMD_UP_H
#define TA_CMD_UP_H

#include "src/err.h"
#include "src/super.h"

struct up_opts {
	const char *dir;                 /* data dir; NULL: conf_data_dir() */
	const char *listen;              /* NULL: the setting */
	const char *roles;               /* NULL: all */
	const struct super_child *extra; /* further children (sandbox, traffic), started last */
	size_t nextra;
	bool quiet; /* no progress on stdout */
};

struct up_state {
	pid_t supervisor; /* 0: none runs */
	bool already;     /* up_start: it ran before */
};

/* Starts what does not run and waits until it answers: cluster (initdb on first use), migrations,
 * sealing keys, roles. Under root everything runs as the user `trackai`; the caller stays what it
 * is. Sets the `database` setting of this process to the cluster. Errors: TA_CONFIG, TA_IO, …: each
 * names the next step. */
TA_MUST enum ta_rc up_start(const struct up_opts *o, struct up_state *out, struct ta_err *err);
/* Stops the supervisor with all it started, or an orphaned database server; *was tells whether
 * anything ran. */
TA_MUST enum ta_rc up_stop(const char *dir, bool *was, struct ta_err *err);
/* pid of the supervisor of a data dir, 0 if none runs. */
pid_t up_supervisor(const char *dir);
/* Does anyone take connections at "127.0.0.1:8090"? */
bool up_answers(const char *address);
/* Under root: becomes the user `trackai` for good (the console does, before it shows anything).
 * Errors: TA_CONFIG (there is no such user: names ./run). */
TA_MUST enum ta_rc up_drop_root(struct ta_err *err);
/* Plain `trackai`: when no database is named, up_start() in the data dir and up_drop_root(). */
TA_MUST enum ta_rc up_default(struct ta_err *err);

#endif
