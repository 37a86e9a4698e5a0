/* Faults on request: a list of `platform:kind[=value][@account][%rate][*count]`, comma between.
 *   status=503       that HTTP status with a short JSON body; nothing is taken
 *   html             502 with a gateway's HTML page; nothing is taken
 *   rate_limit=67150 the platform's throttling answer; the value is the seconds until reset
 *   auth             the platform's answer to a token that is not valid
 *   latency=200ms    answers later (ms or s); other faults still apply
 *   truncate         takes the events, sends half of the answer
 *   reset            takes the events, closes the connection without an answer
 *   hang             takes the events, never answers
 *   event_fail=10    one event in ten is refused as the platform refuses events
 *   partial=10       TikTok: code 20001, one event in ten is not taken
 * `tls:kind[%rate][*count]`, of a sandbox with --tls, per connection:
 *   expired          the certificate's time is over
 *   wrong_name       it names another host
 *   unknown_ca       an authority signed it that nobody knows
 *   handshake        the handshake is cut off
 *   refuse           the connection is reset at once
 *   code=190/460     that error code (and subcode) of the platform, in its own words; a 429 of
 *                    another kind than rate_limit's has no time of reset
 *   event_code=4196  the same for requests that hold an event at fault: rate is in percent of
 * events rate is in percent of requests (default 100); count is how many times at most. Nothing is
 * random: requests are chosen by a hash of a counter, events by a hash of their event_id, so that
 * an event that failed once fails again. */
#ifndef NET_SANDBOX_FAULT_H
#define NET_SANDBOX_FAULT_H

#include "src/err.h"
#include "src/words.h"

#include <stddef.h>
#include <stdint.h>

struct buf;

enum fault_kind {
	FAULT_STATUS,
	FAULT_HTML,
	FAULT_RATE_LIMIT,
	FAULT_AUTH,
	FAULT_LATENCY,
	FAULT_TRUNCATE,
	FAULT_RESET,
	FAULT_HANG,
	FAULT_EVENT_FAIL,
	FAULT_PARTIAL,
	FAULT_CODE,
	FAULT_EVENT_CODE,
	FAULT_TLS_EXPIRED,
	FAULT_TLS_WRONG_NAME,
	FAULT_TLS_UNKNOWN_CA,
	FAULT_TLS_HANDSHAKE,
	FAULT_TLS_REFUSE,
	FAULT_KINDS
};
#define FAULT_OF_TLS PLATFORM_COUNT /* platform of those that strike a connection */

#define FAULT_MAX 64

struct fault {
	enum platform_id platform;
	enum fault_kind kind;
	int64_t value;    /* status, seconds, microseconds, one-in-n or code */
	int64_t subcode;  /* of a code, 0 none */
	char account[64]; /* "": every account */
	uint32_t rate;    /* per million requests */
	int64_t left;     /* times it may still happen; -1 without end */
	uint64_t seen;    /* requests looked at: the counter that is hashed */
	char spec[120];   /* as given */
};

struct fault_set {
	struct fault f[FAULT_MAX];
	size_t n;
};

/* Appends the faults of a list. Errors: TA_INVALID, nothing is added then. */
TA_MUST enum ta_rc fault_add(struct fault_set *s, const char *list, struct ta_err *err);
void fault_clear(struct fault_set *s);
void fault_print(const struct fault_set *s, struct buf *b); /* JSON array of the specs */

/* What happens to this request: the first fault that strikes besides latency (NULL: none) and
 * the sum of the latencies in microseconds. Counts. */
const struct fault *fault_request(
	struct fault_set *s, enum platform_id platform, const char *account, int64_t *delay_us);
/* What happens to this connection: FAULT_KINDS nothing, else one of FAULT_TLS_…. Counts. */
enum fault_kind fault_connection(struct fault_set *s);
/* Does a per-event fault of that kind strike this event? Pure. */
bool fault_event(const struct fault_set *s, enum fault_kind kind, enum platform_id platform,
	const char *account, const char *event_id);
/* The fault event_code that strikes this event, NULL: none. Pure. */
const struct fault *fault_event_code(const struct fault_set *s, enum platform_id platform,
	const char *account, const char *event_id);

#endif
