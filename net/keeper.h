/* The listener's second thread: everything about the database that must not stand in the way of an
 * answer. It reloads shops and keys, watches the disk, writes the heartbeat and the evidence of
 * refused requests, once a second on a connection of its own. */
#ifndef NET_KEEPER_H
#define NET_KEEPER_H

#include "db/inbox.h"

struct callers;
struct keeper;
struct role;
struct writer;

struct keeper *keeper_start(const struct role *role, struct writer *w);
void keeper_stop(struct keeper *k); /* ends the thread and frees */

/* Replaces *callers (owned by the caller, may be NULL) by the latest snapshot when there is a newer
 * one: two atomic reads when not. *seen is the caller's generation, 0 at first. */
void keeper_callers(struct keeper *k, struct callers **callers, unsigned *seen);
/* Reload now (SIGHUP). */
void keeper_reload(struct keeper *k);
/* Bounded: what is too much for one second is only counted. */
void keeper_refused(struct keeper *k, const struct inbox_refused *r);
/* Why the disk forbids storing; false when it does not. */
bool keeper_disk_low(struct keeper *k, char why[160]);
/* Was the database reached within the last seconds? */
bool keeper_database(const struct keeper *k);

enum keeper_count { COUNT_REQUESTS, COUNT_REFUSED, COUNT_BUSY, COUNT_CONNECTIONS, COUNT_COUNT };
void keeper_add(struct keeper *k, enum keeper_count what, int64_t n);

#endif
