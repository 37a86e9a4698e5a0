/* The listener's connections and how long each may take: libmicrohttpd's own timeout counts
 * inactivity, which one byte a second outlives. All deadlines of one phase are equally long, so a
 * list per phase is in order of time and only its head is looked at. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stddef.h>
#include <stdint.h>

struct request;

enum conn_phase {
	PHASE_HEADERS, /* accepted, no whole head yet */
	PHASE_BODY,
	PHASE_STORE, /* suspended, waits for its commit */
	PHASE_ANSWER,
	PHASE_IDLE, /* kept open, between two requests */
	PHASE_COUNT
};

struct conn {
	struct conn *prev, *next;
	enum conn_phase phase;
	int64_t deadline_us; /* monotonic */
	int fd;
	char remote[64];     /* numeric address of the peer */
	struct request *req; /* the one under way, NULL */
};

struct conns {
	struct conn *head[PHASE_COUNT], *tail[PHASE_COUNT];
	size_t n;
};

/* How long a phase may last. */
int64_t conn_limit_us(enum conn_phase phase);
void conns_add(struct conns *all, struct conn *c, int64_t now_us); /* in PHASE_HEADERS */
void conns_remove(struct conns *all, struct conn *c);
void conns_phase(struct conns *all, struct conn *c, enum conn_phase phase, int64_t now_us);
/* A connection that is over its time, NULL if there is none. */
struct conn *conns_late(const struct conns *all, int64_t now_us);
/* Milliseconds to the next deadline, rounded up, at most 1 h; -1 without connections. */
int conns_wait_ms(const struct conns *all, int64_t now_us);

#endif
