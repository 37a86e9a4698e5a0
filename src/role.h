/* A role is one process of `trackai serve`: listener, router, dispatcher, folder, puller. The
 * supervisor forks it and calls its run function; the process shares nothing with the others but
 * the database and the signal to stop. */
#ifndef TA_ROLE_H
#define TA_ROLE_H

#include "src/err.h"

#include <stdint.h>

struct role {
	const char *name;     /* "listener", … */
	const char *database; /* conninfo */
	bool has_key;
	uint8_t key[32]; /* private half of its sealing key: ingest (listener) or deliver
			    (dispatcher, puller) */
};

/* Called once in the child: installs TERM and INT (stop), HUP (reload), names the log lines. */
void role_begin(const struct role *r);
/* Readable from the moment the process should stop; never read it. */
int role_stop_fd(void);
bool role_stopping(void);
/* Asks this process to stop, as SIGTERM does (tests, fatal conditions). */
void role_stop(void);
/* True once after each SIGHUP. */
bool role_take_reload(void);

#endif
