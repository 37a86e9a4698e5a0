/* The sandbox's https side: connections are accepted here and handed to a daemon with the
 * certificate that the faults ask for, or cut. */
#ifndef NET_SANDBOX_TLS_H
#define NET_SANDBOX_TLS_H

#include "net/sandbox_fault.h"

#include <microhttpd.h>

#define TLS_DAEMONS 4
#define TLS_CUT     64

struct tls_side {
	struct MHD_Daemon *daemon[TLS_DAEMONS]; /* sound, expired, wrong name, unknown authority */
	int listener;                           /* -1: there is no https */
	int port;
	int cut[TLS_CUT]; /* cut off, closed later */
	size_t ncut;
};

struct tls_handlers {
	MHD_AccessHandlerCallback on_request;
	MHD_RequestCompletedCallback on_done;
	void *arg;
};
/* Writes DIR/ca.pem, the authority to trust, and listens on a free port of the IPv4 loopback.
 * Errors: TA_IO, TA_CONFIG. */
TA_MUST enum ta_rc tls_open(
	struct tls_side *t, const char *dir, const struct tls_handlers *h, struct ta_err *err);
/* Takes the connections that wait. */
void tls_accept(struct tls_side *t, struct fault_set *faults);
void tls_close(struct tls_side *t);

#endif
