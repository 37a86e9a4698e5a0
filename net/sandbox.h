/* `trackai sandbox`: a strict stand-in for the platforms' conversion APIs on the loopback.
 * Accepts only what the published contracts allow, answers as the platforms do, remembers what
 * it received (GET and DELETE /_sandbox/received, GET /_sandbox/summary, /_sandbox/seconds) and
 * fails on request (GET, POST, PUT and DELETE /_sandbox/fault; net/sandbox_fault.h has the words).
 */
#ifndef NET_SANDBOX_H
#define NET_SANDBOX_H

#include "src/err.h"

#define SANDBOX_LISTEN "127.0.0.1:8099"

struct sandbox_ask {
	const char *listen;  /* A:P */
	const char *faults;  /* NULL: none */
	const char *tls_dir; /* https, too: the authority to trust is written there; NULL: no */
};
/* Serves until SIGTERM or SIGINT; prints the settings to use and "ready" on stdout. One thread, its
 * own poll loop. Errors: TA_CONFIG (address not of the loopback, or taken), TA_INVALID (faults),
 * TA_IO. */
TA_MUST enum ta_rc sandbox_run(const struct sandbox_ask *ask, struct ta_err *err);

#endif
